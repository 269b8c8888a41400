"""What the leveler does to music."""

import numpy as np

from bench import SI_SDR, Case, Metric, Row, ffmpeg, retake
from bench.metrics import TINY
from bench.voices import RATE

from .music_harm import pieces

WINDOW = RATE // 5


def cases():
    for name, piece in pieces().items():
        yield Case(name, "music", RATE, piece, piece)


def pumped(case, output):
    """How far apart the most and the least gain are, over windows of 0.2 s within 40 dB of the loudest."""
    whole = len(output) // WINDOW * WINDOW
    out, before = (np.square(signal[:whole]).reshape(-1, WINDOW).mean(axis=1) for signal in (output, case.clean))
    heard = before > 1e-4 * before.max()
    return float(np.ptp(10 * np.log10((out[heard] + TINY) / (before[heard] + TINY))))


ROW = Row(
    title="leveler-harm",
    says="Pieces of music: their loudness should rise and fall as it did.",
    cases=cases,
    ours=retake({"plugin": "segment"}, {"plugin": "leveler"}),
    peers=[retake({"plugin": "leveler"}, name="retake leveler alone"), ffmpeg("dynaudnorm"), ffmpeg("speechnorm=e=6.25:r=0.00001:l=1", name="speechnorm")],
    metrics=[Metric("gain moves by", "dB", pumped, higher_is_better=False, digits=1), SI_SDR],
)
