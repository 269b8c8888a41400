"""Which findings account for a difference to ffmpeg, and for how many frames of it.

A finding that has nothing to do with the time line explains nothing, and one that has explains no more than
its own number says.
"""

import math
import os
import re

# What a packet at a cut or at damage may hold, in frames: half a second of WavPack is the longest.
PACKET_FRAMES_MAX = 24_000
FORMATS = os.path.join(os.path.dirname(__file__), "../../docs/formats.md")


class Explained:
    """The frames by which we may be shorter (negative) to longer than ffmpeg."""

    def __init__(self, findings, rate, frames):
        self.least, self.most = 0, 0
        # By how many of them nothing comes earlier, because they are at the end.
        self.at_end = 0
        # Another number of channels, or other sounds, are accounted for.
        self.is_changed = False
        self.is_other_sound = False
        for code, params in findings:
            rule = RULES.get(code)
            if rule is None:
                continue
            least, most = rule(params, rate, frames)
            self.least += least
            self.most += most
            self.at_end += params.get("end", 0)
            self.is_changed |= code == "stream-changed"
            self.is_other_sound |= code != "padding-left-out" or params["start"] > 0

    def has(self, frames):
        return self.least - 1 <= frames <= self.most + 1

    def has_shift(self, frames):
        return self.least + self.at_end - 1 <= frames <= self.most + 1


def refusals():
    """The answers to audio that is refused by name, as the documentation lists it."""
    with open(FORMATS, encoding="utf-8") as file:
        names = re.findall(r"^\| ([^|]+?) \| [^|]+ \|$", file.read().split("## Refused")[1], re.M)
    return {f"Error: UnknownCodec {{ codec: \"{name}\" }}" for name in names}


def frames_of(params, name, rate):
    """A length in milliseconds, which are rounded."""
    return math.ceil((abs(params[name]) + 0.5) * rate / 1000)


def longer(name):
    """We hold what ffmpeg leaves out."""
    return lambda params, rate, _: (0, frames_of(params, name, rate))


def shorter(name):
    """We leave out what ffmpeg holds."""
    return lambda params, rate, _: (-frames_of(params, name, rate), 0)


def drift(params, rate, _):
    return -frames_of(params, "drift_ms", rate), frames_of(params, "drift_ms", rate)


def packets(count):
    return lambda params, *_: (-count(params) * PACKET_FRAMES_MAX, count(params) * PACKET_FRAMES_MAX)


RULES = {
    "gaps-filled": longer("silence_ms"),
    "packets-lost": longer("silence_ms"),
    "late-start": longer("late_ms"),
    "start-trimmed": shorter("trimmed_ms"),
    "edits-applied": shorter("left_out_ms"),
    "gap-too-long": lambda params, rate, _: (-math.ceil(params["gap_s"] * rate), 0),
    "padding-left-out": lambda params, *_: (-params["start"] - params["end"], 0),
    "clock-went-back": lambda params, rate, _: (0, params["times"] * frames_of(params, "back_ms", rate)),
    "clock-drift": drift,
    "truncated": packets(lambda _: 1),
    # Padding that was stated for another length.
    "length-differs": packets(lambda _: 1),
    "container-damaged": packets(lambda params: params["places"]),
    "bytes-skipped": packets(lambda _: 1),
    # Another rate or layout is brought to the first, and ffmpeg's raw output goes on with the other.
    "stream-changed": lambda params, rate, frames: (-frames, frames),
    "part-not-read": lambda params, rate, frames: (-math.inf, 0),
    "samples-replaced": lambda *_: (0, 0),
    "spikes-isolated": lambda *_: (0, 0),
}
