"""A voice that was recorded too loud."""

import numpy as np

from bench import PESQ, SNR, Case, Row, ffmpeg, retake
from bench.voices import RATE, voices


def cases():
    for voice, clean in voices().items():
        for snr_db in (3, 7, 15):
            ceiling = ceiling_for(clean, snr_db)
            yield Case(f"{voice} {snr_db} dB", f"{snr_db} dB", RATE, clean, np.clip(clean, -ceiling, ceiling))
        yield Case(f"{voice} whole", "not clipped", RATE, clean, clean)


def ceiling_for(clean: np.ndarray, snr_db: float) -> float:
    """The level at which clipping costs so much."""
    low, high = 0.0, float(np.max(np.abs(clean)))
    for _ in range(40):
        middle = (low + high) / 2
        lost = clean - np.clip(clean, -middle, middle)
        if np.sum(clean**2) > 10 ** (snr_db / 10) * np.sum(lost**2):
            high = middle
        else:
            low = middle
    return high


ROW = Row(
    title="declip",
    says="Voices clipped so hard that 3, 7 and 15 dB of SNR are left, and the same ones not clipped at all.",
    cases=cases,
    ours=retake({"plugin": "declip"}),
    peers=[ffmpeg("adeclip")],
    metrics=[SNR, PESQ],
)
