// What was measured for a job, read once it is shown.

import { useEffect, useState } from "react";
import { getReport } from "@/api/reports";
import { type Trouble, describe } from "@/api/problem";
import type { Report } from "@/api/report";

export type ReportState =
  | { phase: "loading" }
  | { phase: "ready"; report: Report }
  | { phase: "failed"; trouble: Trouble };

export function useReport(jobId: string): ReportState {
  const [state, setState] = useState<ReportState>({ phase: "loading" });
  useEffect(() => {
    const stop = new AbortController();
    getReport(jobId, stop.signal).then(
      (report) => setState({ phase: "ready", report }),
      (error: unknown) => {
        if (!stop.signal.aborted) setState({ phase: "failed", trouble: describe(error) });
      },
    );
    return () => stop.abort();
  }, [jobId]);
  return state;
}
