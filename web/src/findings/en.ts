// English. Another language is another such module: what it does not have is said in the server's words.

import type { Language } from "./words";

const ANOTHER_COPY = "If you have another copy of the file, send that.";
const WITHOUT_STEP = "Compare it with the original; if it is too much, correct it again without that step or with gentler settings.";
const CHOOSE_TRACK = "To correct another one, choose it under “Adjust and correct again”.";

export const en: Language = {
  tag: "en",
  findings: {
    note: { says: (v) => v.text("text") },

    truncated: {
      says: (v) => `The file ends in the middle of the audio, after ${v.number("read_s", 1)} s.`,
      advice: "If the original goes on, send it again.",
    },
    "container-damaged": {
      says: (v) =>
        `The file is damaged in ${v.count("places", { one: "place", other: "places" })} (${v.text("detail")}). ` +
        "What could not be read is silence where its length is known.",
      advice: ANOTHER_COPY,
    },
    "packets-lost": {
      says: (v) =>
        `${v.number("lost")} of ${v.count("packets", { one: "packet", other: "packets" })} could not be decoded; ` +
        `${v.ms("silence_ms")} of silence stand in their place.`,
      advice: ANOTHER_COPY,
    },
    "bytes-skipped": {
      says: (v) =>
        `${v.count("bytes", {
          one: "byte of the file is no audio and was",
          other: "bytes of the file are no audio and were",
        })} left out.`,
      advice: ANOTHER_COPY,
    },
    "gaps-filled": {
      says: (v) =>
        `The file's clock goes on in ${v.count("gaps", { one: "place", other: "places" })} where there is no audio. ` +
        `${v.ms("silence_ms")} of silence were put there, so that the rest stays in step.`,
    },
    "gap-too-long": {
      says: (v) => `A gap of ${v.number("gap_s")} s at ${v.number("at_s", 1)} s was not filled.`,
      advice: "Beside a picture, what follows is too early by as much.",
    },
    "clock-went-back": {
      says: (v) =>
        `The file's clock goes back ${v.count("times", { one: "time", other: "times" })}, by up to ${v.ms("back_ms")}. ` +
        "Nothing was left out.",
    },
    "clock-drift": {
      says: (v) =>
        `The file's clock and its audio are ${v.ms("drift_ms")} apart at the end (${v.number("ppm")} ppm). ` +
        "Nothing was changed.",
      advice: "Beside a picture, check whether the end is in step.",
    },
    "length-differs": {
      says: (v) =>
        `The file states a length of ${v.number("stated_s", 3)} s and has ${v.number("read_s", 3)} s of audio. ` +
        "All that is there was read.",
      advice: ANOTHER_COPY,
    },
    "late-start": { says: (v) => `The audio starts ${v.ms("late_ms")} after the beginning; silence comes before it.` },
    "start-trimmed": { says: (v) => `By the file's clock, ${v.ms("trimmed_ms")} are before its beginning and were left out.` },
    "padding-left-out": {
      says: (v) =>
        `${v.count("start", { one: "frame", other: "frames" })} at the start and ${v.number("end")} at the end were ` +
        "left out: the file says that its encoder put them there.",
    },
    "edits-applied": {
      says: (v) => `The cuts that are noted in the file were made: ${v.ms("left_out_ms")} of its audio are left out.`,
    },
    "edits-ignored": {
      says: (v) => `The cuts that are noted in the file could not be made: ${v.reason("detail")}.`,
      advice: "Export the recording anew from the program that it was cut with, and send that.",
    },
    "samples-replaced": {
      says: (v) => `${v.count("count", { one: "sample was", other: "samples were" })} not a number; silence is in place of it.`,
    },
    "stream-changed": {
      says: (v) =>
        `The audio changes ${v.count("times", { one: "time", other: "times" })} within the file, first from ` +
        `${v.text("from")} to ${v.text("to")} at ${v.number("at_s", 1)} s. All of it is ${v.text("result")} now.`,
    },
    "files-joined": {
      says: (v) =>
        `${v.count("streams", { one: "recording stands", other: "recordings stand" })} one after the other in the file. ` +
        "All were read.",
    },
    "part-not-read": {
      says: (v) => `${v.count("bytes", { one: "byte", other: "bytes" })} of the file were not read: ${v.reason("detail")}.`,
    },
    "tracks-not-used": {
      says: (v) => `Track ${v.number("track")} of ${v.number("tracks")} was read; the others were not.`,
      advice: CHOOSE_TRACK,
    },
    "track-silent": {
      says: (v) => `Track ${v.number("track")} is silent; track ${v.number("other")} is not.`,
      correctTrack: (v) => `Correct track ${v.number("other")} instead`,
    },

    "tags-lost": {
      says: (v) => `Not kept: ${v.text("names")}.`,
      advice: "Another format may have room for it.",
    },
    "replay-gain-removed": {
      says: () => "The replay gain tags were removed, as the loudness has changed.",
    },
    "mask-lost": {
      says: (v) => `Which speaker each channel is for (${v.text("mask")}) cannot be kept in ${v.text("format")}.`,
      advice: "Get it back as WAV to keep that.",
    },

    "channel-dead": {
      says: (v) =>
        v.several("channels")
          ? `Channels ${v.text("channels")} are silent while others are not.`
          : `Channel ${v.text("channels")} is silent while others are not.`,
      advice: "Check the cable and the input of that side before the next recording.",
    },
    "channels-inverted": {
      says: (v) =>
        `Channels ${v.number("first")} and ${v.number("second")} are inverted to each other ` +
        `(correlation ${v.number("correlation", 2)}): played in mono they cancel.`,
      advice: "A cable of one side is connected the wrong way round, perhaps.",
    },
    "channels-identical": {
      says: (v) => `All ${v.number("channels")} channels are the same.`,
    },
    "dc-offset": {
      says: (v) => `The recording is off the middle by ${v.number("percent", 1)} % of full scale (DC offset).`,
      advice: "A High-pass step takes it away.",
    },
    "near-silence": {
      says: (v) => `The recording is nearly silent: its loudest 400 ms have ${v.number("momentary_lufs", 1)} LUFS.`,
      advice: "Check that the right microphone was chosen and not muted.",
    },
    silent: {
      says: () => "The recording is silent.",
      advice: "Check that the right microphone was chosen and not muted, then record again.",
    },
    clipped: {
      says: (v) =>
        `${v.count("stretches", { one: "stretch is", other: "stretches are" })} clipped at ` +
        `${v.number("level_dbfs", 1)} dBFS, ${v.number("per_minute", 1)} a minute.`,
      advice: "A De-clip step mends much of it; the next time, record more quietly.",
    },
    "bandwidth-low": {
      says: (v) =>
        `Nothing is above ${v.number("bandwidth_hz")} Hz at a rate of ${v.number("sample_rate_hz")} Hz: ` +
        "it was a lossy or a slower recording before.",
    },
    "spikes-isolated": {
      says: (v) =>
        `${v.count("count", { one: "impossible sample", other: "impossible samples" })}, up to ` +
        `${v.number("peak_dbfs", 1)} dBFS, had to be replaced.`,
    },

    "step-skipped": {
      says: (v) => `Step ${v.text("name")} was left out: ${v.reason("why")}.`,
      advice: "Correct it again later to have that step as well.",
    },
    "step-quieter": {
      says: (v) =>
        `Step ${v.text("name")} made what can be heard ${v.number("change_db", 1)} dB quieter; ` +
        `more than ${v.number("usual_db")} dB is unusual.`,
      advice: WITHOUT_STEP,
    },
    "step-louder": {
      says: (v) =>
        `Step ${v.text("name")} made what can be heard ${v.number("change_db", 1)} dB louder; ` +
        `more than ${v.number("usual_db")} dB is unusual.`,
      advice: WITHOUT_STEP,
    },
    "step-emptied": {
      says: (v) => `Step ${v.text("name")} emptied ${v.number("percent")} % of what could be heard.`,
      advice: WITHOUT_STEP,
    },
    "step-offset": {
      says: (v) =>
        `Step ${v.text("name")} moved the recording off the middle by ${v.number("percent", 1)} % of full scale (DC offset).`,
      advice: "A High-pass step behind it takes that away.",
    },
    "delta-clipped": {
      says: (v) =>
        `What step ${v.text("name")} removed peaks ${v.number("over_db", 1)} dB over full scale and was clipped there. ` +
        "The correction itself was not.",
    },
    "step-report-cut": {
      says: (v) => `Of step ${v.text("name")}, what it reports (${v.text("part")}) is too long to be kept.`,
    },
    "nothing-recommended": {
      says: (v) => `Step ${v.text("name")} recommends nothing that could be followed.`,
      advice: "Correct it again with a preset that says what to do.",
    },
    "recommended-missing": {
      says: (v) =>
        `Step ${v.text("name")} recommends ${v.text("plugin")}, which this server does not have: it was left out.`,
    },

    "format-replaced": {
      says: (v) =>
        `${v.text("wanted")} holds at most ${v.number("channels_max")} channels and the recording has ` +
        `${v.number("channels")}: the correction is ${v.text("format")}.`,
    },
    "loudness-unmeasured": {
      says: (v) => `There is no loudness that could be brought to ${v.number("target", 1)} LUFS: ${v.reason("why_not")}.`,
    },
    "loudness-missed": {
      says: (v) => `The loudness is ${v.number("reached", 1)} LUFS and not ${v.number("target", 1)}: ${v.reason("why_not")}.`,
    },
    "true-peak-over": {
      says: (v) =>
        `The true peak is ${v.number("reached", 1)} dBTP, over the ceiling of ${v.number("target", 1)}: ` +
        `${v.reason("why_not")}.`,
    },
    "loudness-lost": {
      says: (v) =>
        `${v.number("lost_lu", 1)} LU of the recording's loudness are gone, besides what was turned down on purpose.`,
      advice: "Compare it with the original; if words are missing, correct it again with fewer or gentler steps.",
    },
    "correction-too-quiet": {
      says: (v) => `The correction is too quiet to be measured; the recording had ${v.number("before_lufs", 1)} LUFS.`,
      advice: "Correct it again with fewer or gentler steps.",
    },
    "correction-clipped": {
      says: (v) =>
        `The correction would peak ${v.number("after_dbfs", 1)} dB over full scale and was clipped there; ` +
        `the recording peaks at ${v.number("before_dbfs", 1)} dBFS.`,
      advice: "Correct it again with a Loudness step at the end, which keeps the peaks down.",
    },
  },
};
