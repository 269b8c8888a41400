// Says aloud what others see: that a job has begun, or has ended.

import { useEffect, useRef } from "react";
import type { Job } from "@/api/types";
import { useAnnounce } from "@/ui/Announcer";
import { jobTitle, statusWords } from "./words";

export function useAnnounceChanges(name: string, jobs: readonly Job[]): void {
  const announce = useAnnounce();
  const known = useRef<ReadonlyMap<string, string> | null>(null);
  useEffect(() => {
    const before = known.current;
    known.current = new Map(jobs.map((job) => [job.id, job.status]));
    if (before === null) return;
    for (const job of jobs) {
      if (before.get(job.id) !== job.status) announce(`${name}, ${jobTitle(job)}: ${statusWords(job)}`);
    }
  }, [announce, name, jobs]);
}
