"""WAV files as float arrays within -1..1."""

from pathlib import Path

import numpy as np
from scipy.io import wavfile


def read(path: Path) -> tuple[int, np.ndarray]:
    rate, frames = wavfile.read(path)
    if frames.dtype.kind == "f":
        return rate, frames.astype(np.float64)
    # 24-bit samples arrive as 32-bit ones, shifted up.
    full_scale = -float(np.iinfo(frames.dtype).min)
    return rate, frames / full_scale


def write(path: Path, rate: int, frames: np.ndarray) -> None:
    """As 32-bit floats: nothing is rounded or clipped on the way in."""
    wavfile.write(path, rate, frames.astype(np.float32))
