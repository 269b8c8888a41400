"""Voices of different levels, one after the other."""

import numpy as np

from bench import Case, Metric, Row, ffmpeg, retake
from bench.levels import measured
from bench.metrics import decibels, power, si_sdr
from bench.noises import generator, pink
from bench.voices import RATE, voices

#: Levels of the four voices of a recording against the first's, in dB.
JUMPS = {"10 dB": [0, -10, 8, -4], "6 dB": [0, 6, -3, 3], "none": [0, 0, 0, 0]}
#: What the microphone adds, dBFS. It does not change with the voice.
NOISE_DBFS = -65


def cases():
    spoken = voices()
    for jump, levels in JUMPS.items():
        for number in range(6):
            names = list(generator("leveler", number).permutation(list(spoken))[: len(levels)])
            parts = [equal(spoken[name]) for name in names]
            clean = np.concatenate(parts)
            noise = 10 ** (NOISE_DBFS / 20) * pink(len(clean), f"leveler {number}")
            degraded = noise + np.concatenate(
                [part * 10 ** (level / 20) for part, level in zip(parts, levels)]
            )
            facts = {"parts": [len(part) for part in parts]}
            yield Case("+".join(names), jump, RATE, clean, degraded, facts)


def equal(voice):
    """At -25 LUFS. The other rows have voices of equal power, which the ear does not hear as equal."""
    loudness = measured(Case("", "", RATE, voice, voice), voice)[0]
    return voice * 10 ** ((-25 - loudness) / 20)


def parts(case, signal):
    return np.split(signal, np.cumsum(case.facts["parts"])[:-1])


def spread(case, output):
    """How far the voices are apart in loudness: standard deviation."""
    return float(np.std([measured(case, part)[0] for part in parts(case, output)]))


def each_si_sdr(case, output):
    """Of each voice for itself, so that their levels do not count: what was done within them."""
    pairs = zip(parts(case, case.clean), parts(case, output))
    return float(np.mean([si_sdr(Case("", "", RATE, clean, out), out) for clean, out in pairs]))


def pauses(case, output):
    """Noise in the second of silence before each voice, under that voice: the loudest of them."""
    second = RATE
    heard = [power(part[second // 4 : 3 * second // 4]) / power(part) for part in parts(case, output)]
    return decibels(max(heard))


ROW = Row(
    title="leveler",
    says="Four voices one after the other with jumps of level between them, over a microphone's noise.",
    cases=cases,
    ours=retake({"plugin": "leveler"}),
    peers=[
        ffmpeg("dynaudnorm"),
        ffmpeg("dynaudnorm=f=250:g=9:r=0.07:m=20", name="dynaudnorm by RMS"),
        ffmpeg("speechnorm=e=6.25:r=0.00001:l=1", name="speechnorm"),
        ffmpeg("acompressor=threshold=-30dB:ratio=4:attack=10:release=500:makeup=4", name="acompressor"),
    ],
    metrics=[
        Metric("voices apart", "LU", spread, higher_is_better=False),
        Metric("SI-SDR in each", "dB", each_si_sdr, digits=1),
        Metric("noise in pauses", "dB", pauses, higher_is_better=False, digits=1),
    ],
)
