"""What a row is made of. A row's file imports its names from here."""

from .encoding import encoded_voices
from .levels import LOUDNESS_ERROR, TRUE_PEAK_OVER
from .metrics import ESTOI, LSD, PESQ, SI_SDR, SNR, Metric, below, click_residue, line_level
from .row import Case, Row
from .systems import System, ffmpeg, preset, retake, sox, unprocessed

__all__ = [
    "Case", "Row",
    "System", "encoded_voices", "ffmpeg", "preset", "retake", "sox", "unprocessed",
    "Metric", "ESTOI", "LOUDNESS_ERROR", "LSD", "PESQ", "SI_SDR", "SNR", "TRUE_PEAK_OVER",
    "below", "click_residue", "line_level",
]
