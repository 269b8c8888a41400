"""Noises with a fixed seed, each at a power of 1."""

from collections.abc import Callable
from functools import cache
from zlib import crc32

import numpy as np

from .voices import RATE, decoded, spoken_power, unpacked, voices


def generator(*name: object) -> np.random.Generator:
    """The same numbers for the same name, on every machine."""
    return np.random.default_rng(crc32(repr(name).encode()))


def white(frames: int, name: str) -> np.ndarray:
    return unit(generator("white", name).standard_normal(frames))


def pink(frames: int, name: str) -> np.ndarray:
    """Falls by 3 dB per octave down to 20 Hz."""
    return colored(frames, name, exponent=-0.5)


def rumble(frames: int, name: str) -> np.ndarray:
    """Wind and handling: falls by 24 dB per octave above 40 Hz."""
    spectrum = np.fft.rfft(generator("rumble", name).standard_normal(frames))
    hz = np.fft.rfftfreq(frames, 1 / RATE)
    return unit(np.fft.irfft(spectrum / (1 + (hz / 40) ** 8) ** 0.5, frames))


def hum(frames: int, name: str, mains_hz: float = 50.0) -> np.ndarray:
    """A transformer: mains, its harmonics up to 2 kHz each with a phase of its own, and a tenth of
    the power as hiss."""
    phases = generator("hum", name).uniform(0, 2 * np.pi, 40)
    time = np.arange(frames) / RATE
    lines = sum(np.sin(2 * np.pi * mains_hz * n * time + phases[n - 1]) / n for n in range(1, 41))
    return unit(unit(lines) + 0.1**0.5 * pink(frames, name))


def babble(frames: int, name: str) -> np.ndarray:
    """Eight people at once: the clean voices, each turned to another beginning."""
    random = generator("babble", name)
    talkers = list(voices().values())
    mix = np.zeros(frames)
    for _ in range(8):
        # Without the silence that every voice begins with.
        talker = talkers[random.integers(len(talkers))][RATE:]
        mix += np.resize(np.roll(talker, random.integers(len(talker))), frames)
    return unit(mix)


def typing(frames: int, name: str) -> np.ndarray:
    """A keyboard: six strokes a second, each a burst of noise that dies away within 20 ms."""
    random = generator("typing", name)
    stroke = RATE // 20
    strokes = np.zeros(frames)
    for start in random.integers(0, frames - stroke, 6 * frames // RATE):
        burst = random.standard_normal(stroke) * np.exp(-np.arange(stroke) / (0.007 * RATE))
        strokes[start : start + stroke] += random.uniform(0.3, 1) * burst
    return unit(strokes)


def recorded() -> list[Callable[[int, str], np.ndarray]]:
    """Those that were recorded, as far as their Debian packages can be had."""
    return [noise for noise, package in ((crowd, CITY), (city, CITY), (keyboard, KEYS)) if unpacked(package).exists()]


#: A game's market places, matches and streets, and every key of a keyboard.
CITY = "lincity-ng-data"
KEYS = "bucklespring-data"


def crowd(frames: int, name: str) -> np.ndarray:
    return looped(ambience(CITY, "**/SportsCroud*.wav", "**/Market*.wav"), frames, "crowd", name)


def city(frames: int, name: str) -> np.ndarray:
    return looped(ambience(CITY, "**/Trafic*.wav", "**/Residential*.wav"), frames, "city", name)


def keyboard(frames: int, name: str) -> np.ndarray:
    """Seven strokes a second."""
    random = generator("keyboard", name)
    keys = keystrokes()
    sum = np.zeros(frames)
    for start in random.integers(0, frames - RATE // 2, 7 * frames // RATE):
        stroke = keys[random.integers(len(keys))][: frames - start]
        sum[start : start + len(stroke)] += random.uniform(0.5, 1) * stroke
    return unit(sum)


@cache
def ambience(package: str, *patterns: str) -> np.ndarray:
    files = [file for pattern in patterns for file in sorted(unpacked(package).glob(pattern))]
    return np.concatenate([unit(decoded([file], 0, 20)) for file in files])


@cache
def keystrokes() -> list[np.ndarray]:
    files = sorted(unpacked(KEYS).glob("**/*.wav"))[:40]
    return [decoded([file], 0, 1) for file in files]


def looped(signal: np.ndarray, frames: int, *name: str) -> np.ndarray:
    return unit(np.resize(np.roll(signal, generator(*name).integers(len(signal))), frames))


def colored(frames: int, name: str, exponent: float) -> np.ndarray:
    spectrum = np.fft.rfft(generator("colored", exponent, name).standard_normal(frames))
    hz = np.maximum(np.fft.rfftfreq(frames, 1 / RATE), 20.0)
    return unit(np.fft.irfft(spectrum * hz**exponent, frames))


def unit(signal: np.ndarray) -> np.ndarray:
    return signal / np.sqrt(np.mean(np.square(signal)))


def mixed(clean: np.ndarray, noise: np.ndarray, snr_db: float) -> np.ndarray:
    """The noise that many dB below the voice while it speaks."""
    return clean + noise * np.sqrt(spoken_power(clean)) * 10 ** (-snr_db / 20)
