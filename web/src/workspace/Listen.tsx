// Everything to see and hear of one correction: time line, transport, blind test. Mine or a shared one.

import { type ReactNode, useCallback, useEffect, useState } from "react";
import type { Place } from "@/api/renditions";
import type { Report } from "@/api/report";
import { t } from "@/i18n";
import { BlindTest } from "./blind/BlindTest";
import { KeyList } from "./KeyList";
import { type Files, Players, type Sound } from "./sound/Players";
import type { Transport } from "./sound/transport";
import { TransportBar } from "./sound/TransportBar";
import { Stage } from "./stage/Stage";
import type { Picture, StageModel } from "./stage/stageModel";
import { StageTools } from "./stage/StageTools";
import { useKeys } from "./useKeys";
import styles from "./workspace.module.css";

type Props = {
  place: Place;
  files: Files | null;
  report: Report;
  model: StageModel;
  transport: Transport;
  /** What stands below. */
  children?: ReactNode;
};

export function Listen({ place, files, report, model, transport, children }: Props) {
  const [picture, setPicture] = useState<Picture>("wave");
  const [sound, setSound] = useState<Sound>({ playing: "pair", making: true, trouble: null });
  const [blind, setBlind] = useState(false);
  const [keys, setKeys] = useState(false);
  const onSound = useCallback((next: Sound) => setSound(next), []);

  useEffect(() => () => transport.use(null), [transport]);
  useKeys(transport, model, {
    onPicture: () => setPicture((now) => (now === "wave" ? "spectrogram" : "wave")),
    onList: () => setKeys(true),
  });

  return (
    <>
      <StageTools model={model} transport={transport} picture={picture} onPicture={setPicture} onKeys={() => setKeys(true)} />
      <Stage place={place} report={report} model={model} transport={transport} picture={picture} />
      <Players place={place} files={files} report={report} transport={transport} onSound={onSound} />
      {blind && <BlindTest transport={transport} onEnd={() => setBlind(false)} />}
      <div className={styles.pinned} hidden={blind}>
        <TransportBar transport={transport} making={sound.making && sound.playing === "pair"}>
          <button type="button" className="quiet" onClick={() => setBlind(true)}>
            {t("blind.start")}
          </button>
        </TransportBar>
      </div>
      {sound.playing === "pair" && !sound.making && (
        <p className={`note ${styles.inset}`} role="status">
          {sound.trouble !== null
            ? t("transport.notMade", { why: sound.trouble.detail })
            : t(files === null ? "shared.cannot" : "transport.cannot")}
        </p>
      )}
      {children}
      {keys && <KeyList onClose={() => setKeys(false)} />}
    </>
  );
}
