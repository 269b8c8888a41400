// Rounds peaks off instead of clipping them. Replace it with your correction: everything a plugin
// needs is here. What each function must do stands in wit/correction.wit.
//
// JavaScript runs in an interpreter inside the sandbox, about a hundred times slower than Rust or C: it
// is good for measuring, gating and simple curves, not for a denoiser.

class Session {
  // `params` holds every parameter once, in the order of `describe`, each within its range.
  static open(stream, params) {
    return new Session(stream, params);
  }

  constructor(stream, params) {
    this.channels = stream.channels;
    this.drive = 10 ** (params[0].value.val / 20);
    this.peak = 0;
  }

  latency() {
    return 0;
  }

  analyze(input) {}

  process(input) {
    return input.map((channel) => {
      const output = new Array(channel.length);
      for (let frame = 0; frame < channel.length; frame++) {
        const sample = Math.tanh(channel[frame] * this.drive);
        output[frame] = sample;
        this.peak = Math.max(this.peak, Math.abs(sample));
      }
      return output;
    });
  }

  // Every block was answered in full: nothing is held back.
  drain(maxFrames) {
    return Array.from({ length: this.channels }, () => []);
  }

  report() {
    const value = { tag: "float", val: 20 * Math.log10(this.peak) };
    const peak = { id: "peak", label: "Peak", unit: "dB", value, channel: undefined, span: undefined };
    return { measurements: [peak], curves: [] };
  }
}

function describe() {
  return {
    id: "@ID@", // for ever: stored chains refer to it
    name: "@TITLE@",
    version: "0.1.0",
    vendor: "Example",
    summary: "Rounds peaks off instead of clipping them.",
    license: "MIT",
    params: [
      {
        id: "drive-db", // for ever, too
        label: "Drive",
        help: "Gain before the curve: the more, the rounder.",
        unit: "dB",
        group: "",
        kind: {
          tag: "float",
          val: { min: 0, max: 24, default: 6, step: undefined, scale: "linear" },
        },
      },
    ],
    passes: { analyze: false, process: true },
    channels: "independent",
    maxChannels: 0, // any number
    sampleRates: [], // any rate
    blockQuantum: 1,
    extras: [],
  };
}

export const corrector = { describe, Session };
