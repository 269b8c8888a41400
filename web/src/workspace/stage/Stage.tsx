// The time line: the whole above, a stretch of it large, loudness below. The detail is a slider for those who do not
// see it.

import { useEffect, useId, useRef, useSyncExternalStore } from "react";
import type { Addresses } from "@/api/addresses";
import type { Report } from "@/api/report";
import { t } from "@/i18n";
import { clock, level } from "@/ui/words";
import type { Transport } from "../sound/transport";
import { handsOn, handsOnOverview } from "./hands";
import { type Picture, type StageModel } from "./stageModel";
import { StagePictures } from "./stagePictures";
import styles from "./stage.module.css";

type Props = { addresses: Addresses; report: Report; model: StageModel; transport: Transport; picture: Picture };

export function Stage({ addresses, report, model, transport, picture }: Props) {
  const id = useId();
  const overview = useRef<HTMLCanvasElement>(null);
  const detail = useRef<HTMLCanvasElement>(null);
  const loudness = useRef<HTMLCanvasElement>(null);
  const hands = useRef<HTMLDivElement>(null);
  const heads = [useRef<HTMLDivElement>(null), useRef<HTMLDivElement>(null)] as const;
  const [ofOverview, ofDetail] = heads;
  const pictures = useRef<StagePictures | null>(null);
  const hasLoudness = report.input.loudness_curve !== null || report.output.loudness_curve !== null;

  useEffect(() => {
    const [whole, large, touched] = [overview.current, detail.current, hands.current];
    const [first, second] = [ofOverview.current, ofDetail.current];
    if (whole === null || large === null || touched === null || first === null || second === null) return;
    const drawn = new StagePictures(
      {
        overview: whole,
        detail: large,
        loudness: loudness.current,
        heads: [{ line: first, of: "overview" }, { line: second, of: "detail" }],
      },
      model,
      transport,
      addresses,
      report,
    );
    pictures.current = drawn;
    const stop = new AbortController();
    handsOn(touched, model, transport, stop.signal);
    handsOnOverview(whole, model, transport, stop.signal);
    return () => {
      pictures.current = null;
      stop.abort();
      drawn.close();
    };
  }, [addresses, report, model, transport, ofOverview, ofDetail]);

  useEffect(() => pictures.current?.show(picture));

  return (
    <div className={styles.stage}>
      <div className={styles.overview}>
        <canvas ref={overview} className={styles.canvas} aria-hidden="true" />
        <div ref={ofOverview} className={styles.head} />
      </div>
      <div ref={hands} className={styles.detail}>
        <canvas ref={detail} className={styles.canvas} aria-hidden="true" />
        {hasLoudness && (
          <div role="img" aria-label={spoken(report)}>
            <canvas ref={loudness} className={styles.loudness} aria-hidden="true" />
          </div>
        )}
        <div ref={ofDetail} className={styles.head} />
        <TimeSlider model={model} transport={transport} describedBy={id} />
      </div>
      <p id={id} className="hidden">
        {t("stage.help")}
      </p>
    </div>
  );
}

/** Over the detail, for keyboard and screen reader: the keys themselves are the workspace's. */
function TimeSlider({ model, transport, describedBy }: Pick<Props, "model" | "transport"> & { describedBy: string }) {
  const state = useSyncExternalStore(transport.subscribe, transport.getState);
  const at = transport.time_s;
  const values = { at: clock(at * 1000), all: clock(model.duration_s * 1000), heard: t(`version.${state.heard}`) };
  return (
    <div
      className={styles.slider}
      role="slider"
      tabIndex={0}
      data-jumps={state.jumps}
      aria-label={t("stage.slider")}
      aria-describedby={describedBy}
      aria-valuemin={0}
      aria-valuemax={Math.round(model.duration_s * 10) / 10}
      aria-valuenow={Math.round(at * 10) / 10}
      aria-valuetext={t("stage.value", values)}
    />
  );
}

/** What the lane of loudness shows, for those who do not see it. */
function spoken({ input, output, targets }: Report): string {
  const target = targets.find(({ what }) => what === "loudness")?.target ?? null;
  const loudest = [
    ["stage.loudness.before", input.momentary_max_lufs] as const,
    ["stage.loudness.after", output.momentary_max_lufs] as const,
  ].flatMap(([key, lufs]) => (lufs === null ? [] : [t(key, { lufs: level(lufs, "LUFS") })]));
  const wanted = target === null ? [] : [t("stage.target", { target: level(target, "LUFS") })];
  return [t("stage.loudness", { length: clock(output.duration_ms) }), ...loudest, ...wanted].join(", ");
}
