// A correction that is under way, failed or was cancelled: the recording itself can be heard meanwhile.

import { originalAudioUrl } from "@/api/endpoints";
import type { Job, Preset, Recording } from "@/api/types";
import type { Trial } from "@/chain/useTrial";
import { t } from "@/i18n";
import { JobView } from "@/jobs/JobView";
import { isEnded } from "@/jobs/order";
import { Adjust } from "./Adjust";
import styles from "./workspace.module.css";

type Props = {
  recording: Recording;
  job: Job;
  presets: readonly Preset[];
  trial: Trial | null;
  /** Another correction began. */
  onJob: (job: Job) => void;
  /** This one has changed. */
  onChanged: (job: Job) => void;
};

export function Unfinished({ recording, job, presets, trial, onJob, onChanged }: Props) {
  return (
    <div className={styles.unfinished}>
      <JobView job={job} onJob={onChanged} />
      <p>
        <label>
          {t("version.original")}
          <audio
            controls
            preload="metadata"
            src={originalAudioUrl(recording)}
            aria-label={t("workspace.original")}
            data-player="original"
          />
        </label>
      </p>
      {isEnded(job) && (
        <Adjust recording={recording} job={job} report={null} presets={presets} trial={trial} onJob={onJob} open />
      )}
    </div>
  );
}
