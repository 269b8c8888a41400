"""A voice over mains hum that drifts."""

import numpy as np

from bench import PESQ, SI_SDR, Case, Row, ffmpeg, line_level, retake
from bench.noises import generator, mixed, pink, unit
from bench.voices import RATE, voices

HARMONICS = 20


def cases():
    for voice, clean in voices(seconds=16).items():
        for mains_hz, off_hz in ((50, 0.0), (50, 0.07), (60, -0.04)):
            for snr_db in (0, 10, 20):
                hum = drifting_hum(len(clean), voice, mains_hz + off_hz)
                # A recording room's noise, 40 dB below the voice.
                room = mixed(clean, pink(len(clean), voice), 40)
                facts = {"mains_hz": mains_hz, "lines_hz": [(mains_hz + off_hz) * n for n in range(1, HARMONICS + 1)]}
                yield Case(f"{voice} {mains_hz + off_hz} Hz {snr_db} dB", f"{snr_db} dB", RATE, room,
                           room + (mixed(clean, hum, snr_db) - clean), facts)


def drifting_hum(frames: int, name: str, mains_hz: float) -> np.ndarray:
    """Twenty harmonics; the mains swing by 3 mHz, as a power line does within a minute."""
    random = generator("drifting hum", name, mains_hz)
    time = np.arange(frames) / RATE
    turns = np.cumsum(mains_hz + 0.003 * np.sin(2 * np.pi * time / 20)) / RATE
    levels = random.uniform(0.2, 1, HARMONICS) / np.arange(1, HARMONICS + 1)
    phases = random.uniform(0, 2 * np.pi, HARMONICS)
    return unit(sum(level * np.sin(2 * np.pi * n * turns + phase)
                    for n, (level, phase) in enumerate(zip(levels, phases, strict=True), start=1)))


def notches(width_hz: float):
    """Told the nominal frequency of the mains and how many harmonics there are."""
    return lambda case: ",".join(
        f"bandreject=f={case.facts['mains_hz'] * n}:width_type=h:w={width_hz}" for n in range(1, HARMONICS + 1)
    )


ROW = Row(
    title="hum",
    says="Voices over 50 and 60 Hz hum with twenty harmonics, on its nominal frequency and off it, drifting by 3 mHz.",
    cases=cases,
    ours=retake({"plugin": "hum"}),
    peers=[
        ffmpeg(notches(1), name="ffmpeg bandreject, 1 Hz"),
        ffmpeg(notches(4), name="ffmpeg bandreject, 4 Hz"),
    ],
    metrics=[SI_SDR, line_level(), PESQ],
)
