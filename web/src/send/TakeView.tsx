// A recording before it is sent: listen to it, keep it or take another.

import { useEffect, useRef } from "react";
import type { Take } from "@/recording/take";
import { useBlobSource } from "@/ui/useBlobSource";
import { clock, size } from "@/ui/words";
import styles from "./send.module.css";

type Props = { take: Take; disabled: boolean; onDiscard: () => void };

export function TakeView({ take, disabled, onDiscard }: Props) {
  const source = useBlobSource(take.blob);
  const heading = useRef<HTMLHeadingElement>(null);
  // The button that led here is gone; say where we are.
  useEffect(() => heading.current?.focus(), []);
  const facts = [take.duration_ms === null ? null : clock(take.duration_ms), size(take.blob.size)];
  return (
    <div className={styles.take}>
      <div className={styles.takeHead}>
        <h3 ref={heading} tabIndex={-1}>
          <bdi>{take.name}</bdi>
        </h3>
        <p className="muted">{facts.filter((fact) => fact !== null).join(" · ")}</p>
      </div>
      {take.cutShort && (
        <p className="note">The microphone went away, so the recording ends early. What was heard until then is here.</p>
      )}
      <audio ref={source} controls aria-label="Listen before sending" data-player="take" />
      <p>
        <button type="button" className="quiet" disabled={disabled} onClick={onDiscard}>
          {take.source === "microphone" ? "Throw away and record again" : "Choose another"}
        </button>
      </p>
    </div>
  );
}
