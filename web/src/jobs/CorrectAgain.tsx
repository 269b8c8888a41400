// The same recording once more, with another preset or into another format.

import { useId, useState } from "react";
import { correctAgain } from "@/api/endpoints";
import { type Trouble, describe } from "@/api/problem";
import type { Format, Job, Preset, Recording } from "@/api/types";
import { FORMAT_DEFAULT, PRESET_DEFAULT, presetAmong, presetTitle } from "@/send/preset";
import { FormatChoice } from "@/send/FormatChoice";
import { TroubleNote } from "@/ui/TroubleNote";
import styles from "./jobs.module.css";

type Props = { recording: Recording; presets: readonly Preset[]; onJob: (job: Job) => void };

export function CorrectAgain({ recording, presets, onJob }: Props) {
  const id = useId();
  const used = new Set(recording.jobs.map((job) => job.preset));
  const suggested = presets.find((preset) => !used.has(preset.name))?.name ?? PRESET_DEFAULT;
  const [wanted, setWanted] = useState<string | null>(null);
  const [format, setFormat] = useState<Format>(recording.jobs[0]?.format ?? FORMAT_DEFAULT);
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  // Folded away while there is, or may soon be, a correction.
  const satisfied = recording.jobs.some((job) => job.status !== "failed" && job.status !== "cancelled");
  const preset = presetAmong(presets, wanted ?? suggested);

  const start = async () => {
    setBusy(true);
    setTrouble(null);
    try {
      const { job } = await correctAgain(recording.id, preset, format);
      setWanted(null);
      onJob(job);
    } catch (error) {
      setTrouble(describe(error));
    } finally {
      setBusy(false);
    }
  };

  return (
    <details className={styles.again} open={!satisfied}>
      <summary>Correct it again</summary>
      <div className={styles.againRow}>
        <div>
          <label htmlFor={id}>Correct it for</label>
          <select id={id} value={preset} onChange={(event) => setWanted(event.target.value)}>
            {presets.map((entry) => (
              <option key={entry.name} value={entry.name}>
                {presetTitle(entry.name)}
              </option>
            ))}
          </select>
        </div>
        <FormatChoice value={format} onChange={setFormat} />
        <button type="button" disabled={busy} onClick={() => void start()}>
          Start
        </button>
      </div>
      {trouble !== null && <TroubleNote trouble={trouble} alert />}
    </details>
  );
}
