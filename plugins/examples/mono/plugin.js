// Makes all channels the same: the one that has the voice, or their average. An interview recorded with one
// microphone on the left channel is tiring on headphones.

const SOURCES = ["average", "left", "right"];

class Session {
  static open(stream, params) {
    const source = SOURCES.indexOf(params[0].value.val);
    if (stream.channels < source) {
      throw {
        kind: "bad-parameter",
        message: `the recording has ${stream.channels} channel(s), so there is no ${SOURCES[source]} one`,
        param: "source",
      };
    }
    return new Session(stream, source);
  }

  constructor(stream, source) {
    this.channels = stream.channels;
    this.source = source;
    this.difference = 0;
    this.frames = 0;
  }

  latency() {
    return 0;
  }

  analyze(input) {}

  process(input) {
    const mono = this.source > 0 ? input[this.source - 1] : average(input);
    for (const channel of input) {
      for (let frame = 0; frame < mono.length; frame++) {
        this.difference += (channel[frame] - mono[frame]) ** 2;
      }
    }
    this.frames += mono.length;
    return input.map(() => mono);
  }

  drain(maxFrames) {
    return Array.from({ length: this.channels }, () => []);
  }

  report() {
    const mean = this.difference / Math.max(1, this.frames * this.channels);
    const value = { tag: "float", val: 10 * Math.log10(mean) };
    const id = { id: "difference", label: "Difference between the channels", unit: "dB" };
    return { measurements: [{ ...id, value, channel: undefined, span: undefined }], curves: [] };
  }
}

// One channel is its own average, to the bit.
function average(input) {
  if (input.length === 1) return input[0];
  return Array.from(input[0], (_, frame) => {
    let sum = 0;
    for (const channel of input) sum += channel[frame];
    return sum / input.length;
  });
}

function describe() {
  const choices = SOURCES.map((id) => ({ id, label: id[0].toUpperCase() + id.slice(1) }));
  return {
    id: "org.retake.examples.mono",
    name: "Mono",
    version: "0.1.0",
    vendor: "Retake",
    summary: "Makes all channels the same: one of them, or their average.",
    license: "MIT OR Apache-2.0",
    params: [
      {
        id: "source",
        label: "Source",
        help: "Which channel all become: their average, or the one with the voice.",
        unit: "",
        group: "",
        kind: { tag: "choice", val: { choices, default: "average" } },
      },
    ],
    passes: { analyze: false, process: true },
    channels: "linked",
    maxChannels: 0,
    sampleRates: [],
    blockQuantum: 1,
    extras: [],
  };
}

export const corrector = { describe, Session };
