"""Clean signals: voices read out by espeak-ng, and people and music out of Debian packages.

The packages are unpacked into .cache and not installed. Where they cannot be had the bench goes on
with the synthetic voices and says so.
"""

import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
from scipy.signal import resample_poly

from . import wav
from .metrics import power
from .systems import CACHE

RATE = 48_000
#: Every voice begins with silence, so that a tracker of noise hears the noise alone first.
LEAD_SECONDS = 1.0
#: Level of the voice while it speaks, dBFS: that of an unhurried recording.
SPOKEN_DBFS = -23.0

TEXT = (
    "The north wind and the sun were disputing which was the stronger, when a traveller came along "
    "wrapped in a warm cloak. They agreed that the one who first made him take it off should win."
)
#: Name, espeak-ng's voice, words per minute, pitch.
SPOKEN = [("espeak-us", "en-us", 160, 45), ("espeak-gb", "en-gb+f3", 150, 60), ("espeak-low", "en-gb+m3", 140, 25)]

#: Name, package, files in it, where the stretch begins in seconds.
RECORDED = [
    ("allison", "asterisk-core-sounds-en-g722", "**/demo-congrats.g722", 0),
    ("allison-2", "asterisk-core-sounds-en-g722", "**/demo-instruct.g722", 4),
    ("june", "asterisk-core-sounds-fr-g722", "**/demo-congrats.g722", 0),
    ("carlo", "asterisk-core-sounds-it-g722", "**/demo-congrats.g722", 0),
    ("carlo-2", "asterisk-core-sounds-it-g722", "**/demo-instruct.g722", 4),
    ("ivrvoice", "asterisk-core-sounds-ru-g722", "**/demo-congrats.g722", 0),
    # 48 kHz, the others are 16 kHz.
    ("alsa", "alsa-utils", "**/sounds/alsa/[FRS]*_*.wav", 0),
]
MUSIC = [
    ("cold-day", "asterisk-moh-opsound-g722", "**/macroform-cold_day.g722", 40),
    ("morning-coffee", "asterisk-moh-opsound-g722", "**/manolo_camp-morning_coffee.g722", 20),
    ("system", "asterisk-moh-opsound-g722", "**/reno_project-system.g722", 60),
]


@cache
def voices(seconds: float = 8.0, rate: int = RATE) -> dict[str, np.ndarray]:
    """One channel each, all equally long: a second of silence, then speech."""
    found = {name: spoken(name, voice, pace, pitch) for name, voice, pace, pitch in SPOKEN}
    found |= recordings(RECORDED, seconds)
    lead = np.zeros(int(LEAD_SECONDS * rate))
    cut = int(seconds * rate) - len(lead)
    return {
        name: np.concatenate([lead, leveled(resampled(voice, rate)[:cut])])
        for name, voice in found.items()
        if len(voice) >= cut * RATE / rate
    }


@cache
def music(seconds: float = 8.0) -> dict[str, np.ndarray]:
    cut = int(seconds * RATE)
    return {name: leveled(piece[:cut]) for name, piece in recordings(MUSIC, seconds).items()}


def spoken(name: str, voice: str, pace: int, pitch: int) -> np.ndarray:
    path = CACHE / f"{name}.wav"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["espeak-ng", "-v", voice, "-s", str(pace), "-p", str(pitch), "-w", path, TEXT], check=True)
    return decoded([path], 0, 60)


def recordings(wanted: list[tuple], seconds: float) -> dict[str, np.ndarray]:
    found = {}
    for name, package, pattern, start in wanted:
        files = sorted(unpacked(package).glob(pattern))
        if files:
            found[name] = decoded(files, start, seconds)
    return found


@cache
def unpacked(package: str) -> Path:
    folder = CACHE / package
    if not folder.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        fetch = ["apt-get", "download", "-qq", "-o", "APT::Sandbox::User=root", package]
        if subprocess.run(fetch, cwd=CACHE, capture_output=True).returncode != 0:
            print(f"corrections: {package} cannot be downloaded: its signals are left out", file=sys.stderr)
            return folder
        archive = next(CACHE.glob(f"{package}_*.deb"))
        subprocess.run(["dpkg", "-x", archive, folder], check=True)
        archive.unlink()
    return folder


def decoded(files: list[Path], start: float, seconds: float) -> np.ndarray:
    """At 48 kHz, one channel, several files one after the other."""
    inputs = [argument for file in files for argument in ("-i", file)]
    graph = f"concat=n={len(files)}:v=0:a=1,aresample={RATE}:resampler=soxr"
    command = ["ffmpeg", "-nostdin", "-v", "error", *inputs, "-filter_complex", graph, "-ac", "1",
               "-ss", str(start), "-t", str(seconds), "-f", "f32le", "-"]
    done = subprocess.run(command, check=True, capture_output=True)
    return np.frombuffer(done.stdout, dtype=np.float32).astype(np.float64)


def resampled(signal: np.ndarray, rate: int) -> np.ndarray:
    return signal if rate == RATE else resample_poly(signal, rate, RATE)


def leveled(signal: np.ndarray) -> np.ndarray:
    return signal * 10 ** (SPOKEN_DBFS / 20) / np.sqrt(spoken_power(signal))


def spoken_power(signal: np.ndarray) -> float:
    """Power while somebody speaks: over the stretches of 20 ms within 40 dB of the loudest."""
    length = RATE // 50
    stretches = np.square(signal[: len(signal) // length * length]).reshape(-1, length).mean(axis=1)
    return power(np.sqrt(stretches[stretches > stretches.max() * 1e-4]))
