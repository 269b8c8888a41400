"""Loudness and true peak, as ffmpeg's meter reads them: not ours, which set them."""

import re
import tempfile
from pathlib import Path

import numpy as np

from . import wav
from .metrics import Metric
from .row import Case
from .systems import run


def measured(case: Case, output: np.ndarray) -> tuple[float, float]:
    """Integrated loudness in LUFS (ITU-R BS.1770-4) and true peak in dBTP."""
    with tempfile.TemporaryDirectory() as folder:
        wav.write(Path(folder) / "output.wav", case.rate, output)
        said = run("ffmpeg", "-nostdin", "-hide_banner", "-i", "output.wav",
                   "-af", "ebur128=peak=true", "-f", "null", "-", folder=Path(folder))
    summary = said[said.rindex("Summary:") :]
    loudness, peak = (re.search(rf"{name}:\s+(-?[\d.]+|-inf)", summary)[1] for name in ("I", "Peak"))
    return float(loudness), float(peak)


def loudness_error(case: Case, output: np.ndarray) -> float:
    return abs(measured(case, output)[0] - case.facts["target_lufs"])


def true_peak_over(case: Case, output: np.ndarray) -> float:
    return max(0.0, measured(case, output)[1] - case.facts["ceiling_dbtp"])


LOUDNESS_ERROR = Metric("off the loudness", "LU", loudness_error, higher_is_better=False)
TRUE_PEAK_OVER = Metric("over the ceiling", "dB", true_peak_over, higher_is_better=False)
