// The heart of the workspace, which a shared link shows as well: the sentence, the time line, the transport.

import { type ReactNode, useCallback, useEffect, useMemo, useState } from "react";
import type { Addresses } from "@/api/addresses";
import type { Report } from "@/api/report";
import { t } from "@/i18n";
import { BlindTest } from "./blind/BlindTest";
import { KeyList } from "./KeyList";
import { Players, type Sound } from "./sound/Players";
import { Transport } from "./sound/transport";
import { TransportBar } from "./sound/TransportBar";
import { Stage } from "./stage/Stage";
import { type Picture, StageModel } from "./stage/stageModel";
import { StageTools } from "./stage/StageTools";
import { useKeys } from "./useKeys";
import { Headline, VerdictView } from "./verdict/VerdictView";
import styles from "./workspace.module.css";

type Props = {
  addresses: Addresses;
  report: Report;
  /** Beside the sentence: the way to take it away. */
  goal: ReactNode;
  below: (transport: Transport, model: StageModel) => ReactNode;
};

export function Listen({ addresses, report, goal, below }: Props) {
  const duration_s = report.output.duration_ms / 1000;
  const [transport] = useState(() => new Transport());
  const model = useMemo(() => new StageModel(duration_s), [duration_s]);
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
    <div className={styles.flow}>
      <div className={styles.top}>
        <Headline report={report} />
        <div className={styles.goal}>{goal}</div>
      </div>
      <VerdictView report={report} />
      <StageTools model={model} transport={transport} picture={picture} onPicture={setPicture} onKeys={() => setKeys(true)} />
      <Stage addresses={addresses} report={report} model={model} transport={transport} picture={picture} />
      <Players addresses={addresses} report={report} transport={transport} onSound={onSound} />
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
          {sound.trouble === null ? t("transport.cannot") : t("transport.notMade", { why: sound.trouble.detail })}
        </p>
      )}
      {below(transport, model)}
      {keys && <KeyList onClose={() => setKeys(false)} />}
    </div>
  );
}
