// Takes the correction away, in the format that it was made in or in any other. Another is made on the server
// first, which takes a moment for a long recording.

import { useId, useState } from "react";
import { correctedAudioUrl } from "@/api/endpoints";
import { renditionUrl } from "@/api/renditions";
import { FORMATS, type Format, type Job } from "@/api/types";
import { t } from "@/i18n";
import { formatWords } from "@/send/preset";
import { TroubleNote } from "@/ui/TroubleNote";
import { useMaking } from "./useMaking";
import styles from "./player.module.css";

export function Download({ job }: { job: Job }) {
  const made = job.format === "auto" ? null : job.format;
  return (
    <DownloadRendition
      formats={FORMATS}
      ready={made === null ? null : { format: made, address: correctedAudioUrl(job) }}
      address={(format) => renditionUrl(job, format)}
    />
  );
}

type Props = {
  formats: readonly Format[];
  /** What is there already. */
  ready?: { format: Format; address: string } | null;
  address: (format: Format) => string;
};

export function DownloadRendition({ formats, ready = null, address }: Props) {
  const id = useId();
  const [format, setFormat] = useState<Format>(ready?.format ?? "mp3");
  const { making, trouble, make, stop } = useMaking();
  const other = address(format);
  const name = format.toUpperCase();
  return (
    <>
      <div className={styles.download}>
        <label className="hidden" htmlFor={id}>
          {t("download.as")}
        </label>
        <select
          id={id}
          value={format}
          disabled={making}
          onChange={(event) => {
            const chosen = formats.find((known) => known === event.target.value);
            if (chosen !== undefined) setFormat(chosen);
          }}
        >
          {formats.map((known) => (
            <option key={known} value={known}>
              {formatWords(known)}
            </option>
          ))}
        </select>
        {format === ready?.format ? (
          // The server names the file: its Content-Disposition wins over a name given here.
          <a className="button primary" href={ready.address} download>
            {t("download", { format: name })}
          </a>
        ) : making ? (
          <button type="button" onClick={stop}>
            {t("download.making", { format: name })}
          </button>
        ) : (
          <button
            type="button"
            className="primary"
            onClick={() =>
              void make(other, t("download.what", { format: name })).then((made) => (made ? save(other) : undefined))
            }
          >
            {t("download", { format: name })}
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
