"""Voices that draw breath."""

import numpy as np

from bench import Case, Metric, Row, ffmpeg, retake
from bench.metrics import decibels, power, si_sdr
from bench.noises import generator, mixed, pink
from bench.voices import RATE, spoken_power, voices
from scipy.signal import butter, sosfilt

from .gate import with_pauses

SOFTER_DB = 10


def cases():
    for voice, speech in voices().items():
        clean, pause = with_pauses(speech)
        clean = mixed(clean, pink(len(clean), voice), 50)
        for level_db in (-18, -25):
            degraded, breaths = clean.copy(), np.zeros(len(clean), bool)
            for number, end in enumerate(np.flatnonzero(np.diff(pause.astype(int)) == -1)):
                sound = breath(f"{voice} {number}") * np.sqrt(spoken_power(clean)) * 10 ** (level_db / 20)
                degraded[end - len(sound) : end] += sound
                breaths[end - len(sound) : end] = True
            yield Case(f"{voice} {level_db} dB", f"{level_db} dB", RATE, clean, degraded, {"breaths": breaths})


def breath(name):
    """0.3 to 0.5 s of noise through a mouth: two broad formants, rising and falling."""
    random = generator("breath", name)
    noise = random.standard_normal(int(random.uniform(0.3, 0.5) * RATE))
    mouth = sum(
        weight * sosfilt(butter(2, edges, "bandpass", fs=RATE, output="sos"), noise)
        for weight, edges in ((1, (400, 1_200)), (0.8, (1_400, 3_000)), (0.2, (3_000, 7_000)))
    )
    shape = np.sin(np.pi * np.linspace(0, 1, len(mouth))) ** 0.5
    return shape * mouth / np.sqrt(np.mean(np.square(mouth)))


def left(case, output):
    at = case.facts["breaths"]
    return decibels(power(output[at]) / power(case.degraded[at]))


def rest(case, output):
    at = ~np.convolve(case.facts["breaths"], np.ones(RATE // 10), "same").astype(bool)
    return si_sdr(Case("", "", RATE, case.degraded[at], output), output[at])


ROW = Row(
    title="gate-breaths",
    says=f"Breaths put into the pauses of voices, 18 and 25 dB below them, to come down by {SOFTER_DB} dB.",
    cases=cases,
    ours=retake({"plugin": "gate", "params": {"range-db": 0, "breaths-db": SOFTER_DB}}),
    peers=[
        ffmpeg(
            lambda case: f"agate=range={10 ** (-SOFTER_DB / 20)}:ratio=9000:attack=5:release=150:detection=rms"
            f":threshold={np.sqrt(spoken_power(case.clean)) * 10 ** (-14 / 20)}",
            name="ffmpeg agate",
        ),
    ],
    metrics=[
        Metric("left of breaths", "dB", left, higher_is_better=False, digits=1),
        Metric("SI-SDR of the rest", "dB", rest, digits=1),
    ],
)
