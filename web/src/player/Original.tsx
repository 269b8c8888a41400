// The recording as it came.

import type { RefObject } from "react";
import styles from "./player.module.css";

type Props = { ref: RefObject<HTMLAudioElement | null>; url: string; email: string };

export function Original({ ref, url, email }: Props) {
  return (
    <div className={styles.player}>
      <p className={styles.label}>
        <strong>Original</strong> <span className="muted">sent by {email}</span>
      </p>
      <audio ref={ref} controls preload="metadata" src={url} aria-label="Original recording" data-player="original" />
    </div>
  );
}
