// Takes the correction away, in the format that it was made in or in any other. Another is made on the server
// first, which takes a moment for a long recording.

import { useId, useState } from "react";
import { correctedAudioUrl } from "@/api/endpoints";
import { renditionUrl } from "@/api/renditions";
import { FORMATS, type Format, type Job } from "@/api/types";
import { formatWords } from "@/send/preset";
import { TroubleNote } from "@/ui/TroubleNote";
import { useMaking } from "./useMaking";
import styles from "./player.module.css";

export function Download({ job }: { job: Job }) {
  const id = useId();
  const [format, setFormat] = useState<Format>(job.format === "auto" ? "flac" : job.format);
  const { making, trouble, make, stop } = useMaking();
  const other = renditionUrl(job, format);
  const name = format.toUpperCase();
  return (
    <>
      <div className={styles.download}>
        <label className="hidden" htmlFor={id}>
          Download as
        </label>
        <select
          id={id}
          value={format}
          disabled={making}
          onChange={(event) => {
            const chosen = FORMATS.find((known) => known === event.target.value);
            if (chosen !== undefined) setFormat(chosen);
          }}
        >
          {FORMATS.map((known) => (
            <option key={known} value={known}>
              {formatWords(known)}
            </option>
          ))}
        </select>
        {format === job.format ? (
          // The server names the file: its Content-Disposition wins over a name given here.
          <a className="button primary" href={correctedAudioUrl(job)} download>
            Download {name}
          </a>
        ) : making ? (
          <button type="button" onClick={stop}>
            Making the {name}… Stop
          </button>
        ) : (
          <button
            type="button"
            className="primary"
            onClick={() => void make(other, `The ${name}`).then((made) => (made ? save(other) : undefined))}
          >
            Download {name}
          </button>
        )}
      </div>
      {trouble !== null && <TroubleNote trouble={trouble} alert />}
    </>
  );
}

function save(url: string): void {
  const link = document.createElement("a");
  link.href = url;
  link.download = "";
  link.click();
}
