"""How a correction is judged against the clean signal.

A new metric is a function from a case and an output to a number, wrapped in `Metric`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import gcd

import numpy as np
from pesq import pesq
from pystoi import stoi
from scipy.signal import resample_poly, stft

from .row import Case

#: Differences below this are called a draw: a hundredth of the unit.
DRAW = 0.005
#: Keeps the logarithm of nothing finite, -120 dB.
TINY = 1e-12


@dataclass(frozen=True)
class Metric:
    name: str
    unit: str
    score: Callable[[Case, np.ndarray], float]
    higher_is_better: bool = True
    digits: int = 2

    @property
    def heading(self) -> str:
        unit = f", {self.unit}" if self.unit else ""
        return f"{self.name}{unit} {'↑' if self.higher_is_better else '↓'}"

    def better(self, one: float, other: float) -> bool:
        ahead = one - other if self.higher_is_better else other - one
        return ahead > DRAW

    def best(self, scores: dict[str, float]) -> str:
        pick = max if self.higher_is_better else min
        return pick(scores, key=scores.__getitem__)


def decibels(power_ratio: float) -> float:
    return 10 * float(np.log10(power_ratio + TINY))


def power(signal: np.ndarray) -> float:
    return float(np.mean(np.square(signal)))


def snr(case: Case, output: np.ndarray) -> float:
    """Power of the clean signal over that of everything that differs from it."""
    return decibels(power(case.clean) / (power(output - case.clean) + TINY))


def si_sdr(case: Case, output: np.ndarray) -> float:
    """The same where a change of level does not count (Le Roux et al., 2019)."""
    clean, output = case.clean.ravel(), output.ravel()
    target = clean * (output @ clean) / (clean @ clean)
    return decibels(power(target) / (power(output - target) + TINY))


def pesq_wb(case: Case, output: np.ndarray) -> float:
    """Opinion of a listener, 1 to 4.6 (ITU-T P.862.2)."""
    return pesq(16_000, at_16_khz(case.clean, case.rate), at_16_khz(output, case.rate), "wb")


def estoi(case: Case, output: np.ndarray) -> float:
    """Intelligibility, 0 to 1 (Jensen and Taal, 2016)."""
    return stoi(case.clean, output, case.rate, extended=True)


def log_spectral_distance(case: Case, output: np.ndarray) -> float:
    """Mean over time of how far the spectra are apart in dB; what is 60 dB below the clean
    signal's loudest bin counts as that level, so that silence is not compared with silence."""
    clean, output = (
        np.abs(stft(signal.T, case.rate, nperseg=1024)[2]) ** 2 for signal in (case.clean, output)
    )
    floor = clean.max() * 1e-6
    apart = 10 * np.log10(np.maximum(clean, floor) / np.maximum(output, floor))
    return float(np.mean(np.sqrt(np.mean(apart**2, axis=-2))))


def below(hz: float) -> Metric:
    """What is left of what was added below a frequency, relative to what was added there."""

    def score(case: Case, output: np.ndarray) -> float:
        low = np.fft.rfftfreq(len(output), 1 / case.rate) < hz
        added, left = (
            power(np.abs(np.fft.rfft(signal - case.clean)[low])) for signal in (case.degraded, output)
        )
        return decibels(left / (added + TINY))

    return Metric(f"left below {hz:.0f} Hz", "dB", score, higher_is_better=False, digits=1)


def line_level(fact: str = "lines_hz") -> Metric:
    """What is left of the steady lines that were added, together, relative to full scale: the
    part of the error that lies at the frequencies in the case's facts."""

    def score(case: Case, output: np.ndarray) -> float:
        error = (output - case.clean) * np.hanning(len(output))
        turns = np.arange(len(error)) / case.rate
        lines = [2 * error @ np.exp(-2j * np.pi * hz * turns) for hz in case.facts[fact]]
        # A Hann window lets half of an amplitude through.
        return decibels(sum(abs(line / (len(error) / 2)) ** 2 / 2 for line in lines))

    return Metric("lines left", "dBFS", score, higher_is_better=False, digits=1)


def click_residue(fact: str = "clicks") -> Metric:
    """Error at the clicks, relative to the clicks. The case's facts have them as a list of first
    frame and length."""

    def score(case: Case, output: np.ndarray) -> float:
        at = np.zeros(len(output), dtype=bool)
        for start, frames in case.facts[fact]:
            at[start : start + frames] = True
        added = power((case.degraded - case.clean)[at])
        return decibels(power((output - case.clean)[at]) / (added + TINY))

    return Metric("clicks left", "dB", score, higher_is_better=False, digits=1)


def at_16_khz(signal: np.ndarray, rate: int) -> np.ndarray:
    common = gcd(rate, 16_000)
    return resample_poly(signal, 16_000 // common, rate // common)


SNR = Metric("SNR", "dB", snr, digits=1)
SI_SDR = Metric("SI-SDR", "dB", si_sdr, digits=1)
PESQ = Metric("PESQ-wb", "", pesq_wb)
ESTOI = Metric("eSTOI", "", estoi, digits=3)
LSD = Metric("LSD", "dB", log_spectral_distance, higher_is_better=False)
