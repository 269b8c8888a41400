"""Two sentences with a long pause between them in which somebody breathes."""

import numpy as np

from bench import SI_SDR, Case, Metric, Row, retake
from bench.metrics import TINY, decibels, power
from bench.noises import pink
from bench.voices import RATE, spoken_power, voices

from .gate_breaths import breath
from .leveler import ROW as LEVELER

PAUSE_SECONDS = 8
#: What the microphone adds, under the voice.
NOISE_DB = -50


def cases():
    for voice, speech in voices().items():
        pause = np.zeros(PAUSE_SECONDS * RATE)
        clean = np.concatenate([speech, pause, speech[RATE:]])
        loud = np.sqrt(spoken_power(clean))
        clean = clean + loud * 10 ** (NOISE_DB / 20) * pink(len(clean), voice)
        for level_db in (-18, -25):
            degraded, breaths = clean.copy(), []
            for number, second in enumerate((2.5, 4.5, 6.5)):
                sound = breath(f"{voice} {number}") * loud * 10 ** (level_db / 20)
                at = len(speech) + int(second * RATE)
                degraded[at : at + len(sound)] += sound
                breaths.append((at, at + len(sound)))
            facts = {"breaths": breaths, "pause": (len(speech), len(speech) + len(pause))}
            yield Case(f"{voice} {level_db} dB", f"{level_db} dB", RATE, degraded, degraded, facts)


def lifted(case, output):
    """By how much more the loudest breath was turned up than the sentences."""

    def gain_db(spans):
        out, before = (sum(power(signal[a:b]) * (b - a) for a, b in spans) for signal in (output, case.degraded))
        return decibels(out / (before + TINY))

    start, end = case.facts["pause"]
    sentences = gain_db([(0, start), (end, len(output))])
    return max(gain_db([breath]) for breath in case.facts["breaths"]) - sentences


ROW = Row(
    title="leveler-breaths",
    says="Two sentences and eight seconds between them with three breaths, 18 and 25 dB below the voice: the breaths are not to be lifted.",
    cases=cases,
    ours=retake({"plugin": "leveler"}),
    peers=LEVELER.peers,
    metrics=[Metric("breath over its sentence", "dB", lifted, higher_is_better=False, digits=1), SI_SDR],
)
