// The pictures of the time line, kept up to date: sources of peaks and tiles, three canvases, and the two lines that
// move with the sound. Lives as long as the stage is shown; outside React, which would cost more than the drawing.

import type { Addresses } from "@/api/addresses";
import type { Side } from "@/api/renditions";
import type { Report } from "@/api/report";
import { t } from "@/i18n";
import { cutsOf } from "@/report/alignment";
import { level } from "@/ui/words";
import { type Heard } from "../sound/gains";
import { FULL, matchedVolumes } from "../sound/match";
import type { Transport } from "../sound/transport";
import {
  type Colours,
  type Wave,
  coloursOf,
  drawHandle,
  drawLoop,
  drawLoudness,
  drawMarks,
  drawRuler,
  drawSpectrogram,
  drawWave,
  envelope,
  loudnessScale,
  penOf,
  reach,
} from "./draw";
import { type Mark, marksOf } from "./marks";
import { PeaksSource } from "./peaksSource";
import { type Piece, piecesOf } from "./pieces";
import { SpectrogramSource } from "./spectrogramSource";
import type { Picture, StageModel } from "./stageModel";
import { type Stretch, whole, xOf } from "./timeline";

export type Canvases = {
  overview: HTMLCanvasElement;
  detail: HTMLCanvasElement;
  loudness: HTMLCanvasElement | null;
  /** The lines that move. */
  heads: readonly { line: HTMLElement; of: "overview" | "detail" }[];
};

const SIDES = ["original", "corrected"] as const;

export class StagePictures {
  readonly #peaks: Record<Side, PeaksSource>;
  readonly #tiles: Record<Side, SpectrogramSource>;
  readonly #pieces: Record<Side, readonly Piece[]>;
  readonly #marks: readonly Mark[];
  readonly #colours: Colours;
  #picture: Picture = "wave";
  #frame: number | null = null;
  #closed = false;
  readonly #ends: (() => void)[] = [];

  constructor(
    private readonly canvases: Canvases,
    private readonly model: StageModel,
    private readonly transport: Transport,
    addresses: Addresses,
    private readonly report: Report,
  ) {
    const redraw = () => this.invalidate();
    const each = <T>(make: (side: Side) => T): Record<Side, T> => ({ original: make("original"), corrected: make("corrected") });
    this.#colours = coloursOf(canvases.detail);
    this.#peaks = each((side) => new PeaksSource(addresses.peaks(side), redraw));
    this.#tiles = each((side) => new SpectrogramSource((rate, tile) => addresses.spectrogram(side, rate, tile), redraw));
    this.#pieces = {
      original: piecesOf(cutsOf(report), model.duration_s),
      corrected: [{ from_s: 0, to_s: model.duration_s, source_s: 0 }],
    };
    this.#marks = marksOf(report);

    const resized = new ResizeObserver(redraw);
    for (const canvas of [canvases.overview, canvases.detail]) resized.observe(canvas);
    this.#ends.push(() => resized.disconnect(), model.subscribe(redraw), transport.subscribe(redraw));
    this.#run();
  }

  show(picture: Picture): void {
    this.#picture = picture;
    this.invalidate();
  }

  invalidate(): void {
    if (this.#closed || this.#frame !== null) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = null;
      this.#draw();
    });
  }

  close(): void {
    this.#closed = true;
    if (this.#frame !== null) cancelAnimationFrame(this.#frame);
    for (const end of this.#ends) end();
    for (const side of SIDES) {
      this.#peaks[side].close();
      this.#tiles[side].close();
    }
  }

  /** Follows the sound for as long as it plays; a change of the state starts it again. */
  #run(): void {
    let running = 0;
    const step = () => {
      running = 0;
      this.transport.sync();
      this.#moveHeads();
      if (this.transport.getState().playing) {
        this.model.follow(this.transport.time_s);
        running = requestAnimationFrame(step);
      }
    };
    const wake = () => {
      if (running === 0) running = requestAnimationFrame(step);
    };
    this.#ends.push(this.transport.subscribe(wake), this.model.subscribe(wake), () => cancelAnimationFrame(running));
    wake();
  }

  #moveHeads(): void {
    const at = this.transport.time_s;
    for (const { line, of } of this.canvases.heads) {
      const stretch = of === "detail" ? this.model.getStretch() : whole(this.model.duration_s);
      const width = this.canvases[of].clientWidth;
      const x = xOf(stretch, width, at);
      line.hidden = x < -1 || x > width + 1;
      line.style.transform = `translateX(${x.toFixed(1)}px)`;
    }
  }

  #draw(): void {
    const { heard } = this.transport.getState();
    this.#drawOverview(heard);
    this.#drawDetail(heard);
    this.#drawLoudness(heard);
    this.#moveHeads();
  }

  #waves(heard: Heard): readonly [Wave, Wave] {
    const { matched } = this.transport.getState();
    const volumes = matched ? matchedVolumes(this.report) : FULL;
    const wave = (side: Side, alpha: number): Wave => ({
      peaks: this.#peaks[side],
      pieces: this.#pieces[side],
      gain: volumes[side],
      colour: this.#colours[side],
      alpha,
    });
    // What sounds is in front; of what was removed both together give a notion.
    if (heard === "original") return [wave("corrected", 0.4), wave("original", 0.9)];
    if (heard === "corrected") return [wave("original", 0.45), wave("corrected", 0.95)];
    return [{ ...wave("original", 0.95), colour: this.#colours.removed }, { ...wave("corrected", 0.55) }];
  }

  #drawOverview(heard: Heard): void {
    const pen = penOf(this.canvases.overview, this.#colours);
    if (pen === null) return;
    const all = whole(this.model.duration_s);
    this.#drawWaves(pen, heard, all);
    drawMarks(pen, this.#marks, all);
    const { loop, looping } = this.transport.getState();
    if (loop !== null) drawLoop(pen, loop, all, looping);
    drawHandle(pen, this.model.getStretch(), all);
  }

  #drawDetail(heard: Heard): void {
    const pen = penOf(this.canvases.detail, this.#colours);
    if (pen === null) return;
    const stretch = this.model.getStretch();
    if (this.#picture === "spectrogram") {
      const side = heard === "original" ? "original" : "corrected";
      const sourceDuration_s = (side === "original" ? this.report.input : this.report.output).duration_ms / 1000;
      drawSpectrogram(pen, { source: this.#tiles[side], pieces: this.#pieces[side], sourceDuration_s }, stretch);
      drawRuler(pen, stretch);
    } else {
      drawRuler(pen, stretch);
      this.#drawWaves(pen, heard, stretch);
    }
    drawMarks(pen, this.#marks, stretch);
    const { loop, looping } = this.transport.getState();
    if (loop !== null) drawLoop(pen, loop, stretch, looping);
  }

  #drawWaves(pen: NonNullable<ReturnType<typeof penOf>>, heard: Heard, stretch: Stretch): void {
    const drawn = this.#waves(heard).map((wave) => [wave, envelope(wave, stretch, pen.width)] as const);
    // By the whole recording, so that its height does not change while one moves along.
    const all = this.#waves(heard).map((wave) => [wave, envelope(wave, whole(this.model.duration_s), 400)] as const);
    const scale = Math.min(60, 0.82 / Math.max(reach(all), 0.01));
    for (const [wave, found] of drawn) if (found !== null) drawWave(pen, wave, found, scale);
  }

  #drawLoudness(heard: Heard): void {
    const { loudness } = this.canvases;
    const pen = loudness === null ? null : penOf(loudness, this.#colours);
    if (pen === null) return;
    const { input, output, targets } = this.report;
    const target = targets.find(({ what }) => what === "loudness")?.target ?? null;
    const scale = loudnessScale([input.loudness_curve, output.loudness_curve], target);
    if (scale === null) return;
    const lines = ([["original", input], ["corrected", output]] as const).flatMap(([side, { loudness_curve: curve }]) =>
      curve === null ? [] : [{ curve, pieces: this.#pieces[side], colour: this.#colours[side], alpha: heard === side ? 1 : 0.55 }],
    );
    const words = target === null ? "" : t("stage.target", { target: level(target, "LUFS") });
    drawLoudness(pen, lines, scale, target, this.model.getStretch(), words);
  }
}
