// The same recording once more, with other settings: what was done is where one begins.

import { useId, useRef, useState } from "react";
import { correctAgain } from "@/api/endpoints";
import { RequestFailed, type Trouble, describe } from "@/api/problem";
import type { Report } from "@/api/report";
import type { AskedFormat, Job, Preset, Recording } from "@/api/types";
import { ChosenChain } from "@/chain/ChosenChain";
import { OWN, SAVED } from "@/chain/choice";
import { type ChainChoice, keptChain, useChainChoice } from "@/chain/useChainChoice";
import { type Trial, useTrial } from "@/chain/useTrial";
import { PRESET_DEFAULT, presetTitle } from "@/send/preset";
import { FormatChoice } from "@/send/FormatChoice";
import { t } from "@/i18n";
import { TroubleNote } from "@/ui/TroubleNote";
import { TrackChoice } from "@/jobs/TrackChoice";
import { chainThatRan } from "./ran";
import styles from "./adjust.module.css";

type Props = {
  recording: Recording;
  /** The correction that is shown. */
  job: Job;
  /** Null where there is none. */
  report: Report | null;
  presets: readonly Preset[];
  /** A chain somebody wants to try on this recording, just now. */
  trial: Trial | null;
  onJob: (job: Job) => void;
  open?: boolean;
};

export function Adjust({ recording, job: shown, report, presets, trial, onJob, open = false }: Props) {
  const tracks = report?.tracks ?? [];
  const used = new Set(recording.jobs.map((job) => job.preset));
  const suggested = presets.find((preset) => !used.has(preset.name))?.name ?? PRESET_DEFAULT;
  const [wanted, setWanted] = useState<string | null>(OWN);
  const [format, setFormat] = useState<AskedFormat>(shown.format);
  const [chosenTrack, setChosenTrack] = useState<number | null | undefined>(undefined);
  const lastTrack = chosenTrack === undefined ? shown.track : chosenTrack;
  // One that the recording has not is not asked for again.
  const track = tracks.some((known) => known.track === lastTrack) ? lastTrack : null;
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const initial = () => chainThatRan(shown.chain, report) ?? keptChain();
  const choice = useChainChoice({ presets, wanted: wanted ?? suggested, setWanted, initial });
  const details = useRef<HTMLDetailsElement>(null);
  useTrial(trial, (chain) => {
    setTrouble(null);
    choice.begin(chain);
    if (details.current === null) return;
    details.current.open = true;
    details.current.scrollIntoView({ block: "start" });
    details.current.querySelector("summary")?.focus({ preventScroll: true });
  });
  const start = async () => {
    const wish = choice.wish();
    if (wish === null) return;
    setBusy(true);
    setTrouble(null);
    try {
      const { job } = await correctAgain(recording.id, wish, format, track);
      if ("preset" in wish) setWanted(null);
      onJob(job);
    } catch (error) {
      setTrouble(describe(error));
      if (error instanceof RequestFailed) choice.refuse(error.problem.errors);
    } finally {
      setBusy(false);
    }
  };

  return (
    <details ref={details} className={styles.adjust} open={open}>
      <summary>{t("adjust.title")}</summary>
      <div className={styles.form}>
        <div className={styles.row}>
          <ChainSelect choice={choice} />
          <FormatChoice value={format} onChange={setFormat} />
          {tracks.length > 1 && <TrackChoice tracks={tracks} value={track} onChange={setChosenTrack} />}
        </div>
        <ChosenChain choice={choice} />
        <div className="actions">
          <button type="button" className="primary" disabled={busy} onClick={() => void start()}>
            {t("adjust.start")}
          </button>
        </div>
      </div>
      {trouble !== null && <TroubleNote trouble={trouble} alert />}
    </details>
  );
}

function ChainSelect({ choice }: { choice: ChainChoice }) {
  const id = useId();
  return (
    <div>
      <label htmlFor={id}>{t("adjust.preset")}</label>
      <select id={id} value={choice.value} onChange={(event) => choice.choose(event.target.value)}>
        {choice.presets.map((preset) => (
          <option key={preset.name} value={preset.name}>
            {presetTitle(preset.name)}
          </option>
        ))}
        {choice.saved.map(({ name }) => (
          <option key={SAVED + name} value={SAVED + name}>
            {t("adjust.saved", { name })}
          </option>
        ))}
        <option value={OWN}>{t("adjust.own")}</option>
      </select>
    </div>
  );
}
