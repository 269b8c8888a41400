import { describe, expect, it } from "vitest";
import { type StepReport, parseStepReport } from "@/api/report";
import { cutWords, findings, levelChange, sentences, settingWords } from "./words";

function step(fields: Record<string, unknown>): StepReport {
  return parseStepReport({ step: "s", plugin: null, skipped: false, latency_frames: 0, cpu_ms: 0, measurements: null, ...fields });
}

const measured = (id: string, value: unknown, more = {}) => ({ id, label: `The ${id}`, unit: "dB", value, ...more });

describe("what a step did, in words", () => {
  const diagnose = step({
    measurements: {
      measurements: [
        measured("hum", 12.3456),
        measured("level", -23.04, { channel: 1 }),
        measured("clipped", false),
        measured("finding", "mains hum at 50 Hz is audible"),
        measured("finding", "mains hum at 50 Hz is audible"),
        measured("bandwidth", "telephone"),
        measured("recommended-chain", '{"steps": [{"plugin": "hum"}]}'),
        measured("cut", 3),
      ],
      curves: [],
    },
  });

  it("has numbers with names and units, by channel where there are several", () => {
    expect(findings(diagnose).map(({ label, value }) => `${label}: ${value}`)).toEqual([
      "The hum: 12.3 dB",
      "The level, channel 2: \u221223 dB",
      "The clipped: no",
      "The bandwidth: telephone",
    ]);
  });

  it("names no channel where there is only one", () => {
    const mono = step({ measurements: { measurements: [measured("level", -23, { channel: 0 })], curves: [] } });
    expect(findings(mono)[0]?.label).toBe("The level");
  });

  it("has the plugin's own sentences once each, and not what is meant for the worker", () => {
    expect(sentences(diagnose)).toEqual(["Mains hum at 50 Hz is audible."]);
  });

  it("tells a change of level", () => {
    expect(levelChange(2.14)).toBe("2.1 dB louder");
    expect(levelChange(-7)).toBe("7 dB quieter");
    expect(levelChange(-120)).toBe("Nothing to hear is left");
    expect(levelChange(-0.01)).toBe("Level unchanged");
  });

  it("tells what was cut out", () => {
    const cuts = [
      { start: 0, frames: 24_000 },
      { start: 96_000, frames: 33_600 },
    ];
    expect(cutWords(step({ cuts }), 48_000)).toBe("Took out 1.2 s in 2 places");
    expect(cutWords(step({}), 48_000)).toBeNull();
  });

  it("tells the settings, by id where the plugin is not known any more", () => {
    expect(settingWords(step({ params: { "cutoff-hz": 80, fast: true } }), undefined)).toBe("cutoff-hz 80, fast on");
  });
});
