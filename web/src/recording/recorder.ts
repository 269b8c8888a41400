// One recording from the microphone, from asking for it to the finished blob. Owns the microphone,
// the encoder and the level meter's audio context; `dispose` gives all of them back, always.

import { chooseRecordingType } from "./format";
import { type Level, levelOf } from "./level";
import { type MicrophoneChoice, openMicrophone } from "./microphone";

/** Opus is transparent for speech well below this. */
const BITS_PER_SECOND = 128_000;

/** A crash loses one part that was not finished and one that was not written: a second together. */
const PART_MS = 500;

export type Recorded = {
  blob: Blob;
  duration_ms: number;
  /** The microphone went away before the person stopped. */
  cutShort: boolean;
};

export type RecorderListener = {
  /** Twice a second, and with the last at the end, before `onRecorded`. */
  onPart: (part: Blob, elapsed_ms: number) => void;
  /** Once, unless disposed of before. */
  onRecorded: (recorded: Recorded) => void;
  onFailed: (error: Error) => void;
};

export class Recorder {
  readonly #stream: MediaStream;
  readonly #encoder: MediaRecorder;
  readonly #meterContext: AudioContext;
  readonly #analyser: AnalyserNode;
  readonly #samples: Float32Array<ArrayBuffer>;
  readonly #listener: RecorderListener;
  readonly #parts: Blob[] = [];
  #countedMs = 0;
  #countingSince: number | null = null;
  #cutShort = false;
  #disposed = false;

  /** Asks for the microphone and begins. Throws MicrophoneError; nothing stays open then. */
  static async start(choice: MicrophoneChoice, listener: RecorderListener): Promise<Recorder> {
    const stream = await openMicrophone(choice);
    try {
      return new Recorder(stream, listener);
    } catch (error) {
      for (const track of stream.getTracks()) track.stop();
      throw error;
    }
  }

  private constructor(stream: MediaStream, listener: RecorderListener) {
    this.#stream = stream;
    this.#listener = listener;
    const mimeType = chooseRecordingType(
      (type) => MediaRecorder.isTypeSupported(type),
      navigator.vendor.startsWith("Apple"),
    );
    this.#encoder = new MediaRecorder(stream, {
      audioBitsPerSecond: BITS_PER_SECOND,
      ...(mimeType === "" ? {} : { mimeType }),
    });
    this.#encoder.ondataavailable = (event) => {
      if (event.data.size === 0) return;
      this.#parts.push(event.data);
      if (!this.#disposed) this.#listener.onPart(event.data, this.elapsedMs);
    };
    this.#encoder.onstop = () => this.#finish();
    this.#encoder.onerror = (event) => {
      // The encoder stops by itself after this and `onstop` delivers what it has.
      this.#cutShort = true;
      console.error("recording ended early", event);
    };
    for (const track of stream.getAudioTracks()) {
      track.onended = () => {
        this.#cutShort = true;
        this.stop();
      };
    }

    this.#meterContext = new AudioContext();
    this.#analyser = this.#meterContext.createAnalyser();
    this.#analyser.fftSize = 2048;
    this.#samples = new Float32Array(this.#analyser.fftSize);
    this.#meterContext.createMediaStreamSource(stream).connect(this.#analyser);
    // Safari begins suspended when the click that led here is no longer "current".
    void this.#meterContext.resume();

    // In parts, so that each can be kept at once; the duration, which is missing then, the server measures.
    this.#encoder.start(PART_MS);
    this.#countingSince = performance.now();
  }

  get elapsedMs(): number {
    return this.#countedMs + (this.#countingSince === null ? 0 : performance.now() - this.#countingSince);
  }

  /** What the microphone hears now, also while paused. */
  level(): Level {
    this.#analyser.getFloatTimeDomainData(this.#samples);
    return levelOf(this.#samples);
  }

  /** Whether the device kept the browser's own corrections on although they were declined. */
  get processedByBrowser(): boolean {
    const settings = this.#stream.getAudioTracks()[0]?.getSettings();
    return [settings?.echoCancellation, settings?.noiseSuppression, settings?.autoGainControl].some(
      (on) => on !== undefined && on !== false,
    );
  }

  /** Of what is recorded, as far as the browser says it beforehand. */
  get type(): string {
    return this.#encoder.mimeType;
  }

  get deviceName(): string {
    return this.#stream.getAudioTracks()[0]?.label ?? "";
  }

  pause(): void {
    if (this.#encoder.state !== "recording") return;
    this.#encoder.pause();
    this.#stopCounting();
  }

  resume(): void {
    if (this.#encoder.state !== "paused") return;
    this.#encoder.resume();
    this.#countingSince = performance.now();
  }

  /** The recording comes by `onRecorded`. */
  stop(): void {
    if (this.#encoder.state === "inactive") return;
    this.#stopCounting();
    this.#encoder.stop();
  }

  /** Lets go of everything; a recording still running is thrown away. May be called twice. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    if (this.#encoder.state !== "inactive") this.#encoder.stop();
    this.#release();
  }

  #stopCounting(): void {
    this.#countedMs = this.elapsedMs;
    this.#countingSince = null;
  }

  #finish(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#stopCounting();
    this.#release();
    // Firefox leaves the recorder's own type empty when none was asked for.
    const type = this.#encoder.mimeType === "" ? (this.#parts[0]?.type ?? "") : this.#encoder.mimeType;
    const blob = new Blob(this.#parts, { type });
    if (blob.size === 0) {
      this.#listener.onFailed(new Error("the browser recorded nothing"));
    } else {
      this.#listener.onRecorded({ blob, duration_ms: this.#countedMs, cutShort: this.#cutShort });
    }
  }

  #release(): void {
    for (const track of this.#stream.getTracks()) {
      track.onended = null;
      track.stop();
    }
    void this.#meterContext.close();
  }
}
