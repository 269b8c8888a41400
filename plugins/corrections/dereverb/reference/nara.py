"""Writes nara.f32, what `src/tests.rs` holds the prediction against: nara_wpe's own results on made bands.

    pip install numpy==2.4.6 nara_wpe==0.0.11; python nara.py

For each case all frames of the band, then what is left of them, as pairs of 32-bit floats.
"""

from pathlib import Path

import numpy as np
from nara_wpe.wpe import wpe

FRAMES = 400
#: Taps, delay, iterations, context.
CASES = [(10, 3, 3, 0), (24, 2, 2, 2), (5, 1, 1, 1)]


def band(random: np.random.Generator) -> np.ndarray:
    """Words of noise, and the echoes of each from three frames on."""
    voice = random.standard_normal((FRAMES, 2)) @ [1, 1j]
    voice *= np.repeat(random.uniform(0, 1, FRAMES // 10) ** 3, 10)
    echoes = random.standard_normal((30, 2)) @ [1, 1j] * 0.9 ** np.arange(30) * 0.6
    echoes[:3] = [1, 0, 0]
    return np.convolve(voice, echoes)[:FRAMES].astype(np.complex64)


with (Path(__file__).parent / "nara.f32").open("wb") as file:
    for number, (taps, delay, iterations, context) in enumerate(CASES):
        heard = band(np.random.default_rng(number))
        left = wpe(heard[None, None].astype(np.complex128), taps, delay, iterations, context, "full")
        for series in (heard, left[0, 0]):
            series.astype("<c8").tofile(file)
