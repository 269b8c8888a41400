"""Voices whose balance a microphone or a room's corner has spoilt."""

import numpy as np
from scipy.signal import fftconvolve, firwin2

from bench import PESQ, Case, Metric, Row, ffmpeg, retake
from bench.metrics import TINY
from bench.noises import mixed, pink
from bench.voices import RATE, voices

THIRDS_HZ = 160 * 2 ** (np.arange(18) / 3)
#: Gain in dB at these frequencies, straight lines over octaves between them.
POINTS_HZ = (20, 150, 300, 1_000, 3_000, 8_000, 20_000)
COLOURS = {
    "as it is": (0, 0, 0, 0, 0, 0, 0),
    "dull": (0, 0, 0, 0, -6, -12, -12),
    "boomy": (10, 10, 8, 0, 0, 0, 0),
    "thin": (-12, -12, -8, 0, 0, 0, 0),
    "sharp": (0, 0, 0, 0, 8, 8, 6),
}


def cases():
    for voice, speech in voices().items():
        # With a microphone's noise, which is not to be lifted.
        clean = mixed(speech, pink(len(speech), voice), 45)
        for colour, gains in COLOURS.items():
            yield Case(f"{voice} {colour}", colour, RATE, clean, coloured(clean, gains))


def coloured(signal, gains_db):
    if not any(gains_db):
        return signal
    hz = np.concatenate([[0], np.geomspace(20, RATE / 2, 200)])
    gain = np.interp(np.log(np.maximum(hz, 20)), np.log(POINTS_HZ), gains_db)
    return fftconvolve(signal, firwin2(2049, hz / (RATE / 2), 10 ** (gain / 20)), "same")


def thirds_db(signal):
    power = np.abs(np.fft.rfft(signal)) ** 2
    hz = np.fft.rfftfreq(len(signal), 1 / RATE)
    bands = [(hz >= middle * 2 ** (-1 / 6)) & (hz < middle * 2 ** (1 / 6)) for middle in THIRDS_HZ]
    return 10 * np.log10(np.array([power[band].sum() for band in bands]) + TINY)


def off(case, output):
    """How far the long-term spectrum is from the voice's own in third octaves, whatever its level."""
    apart = thirds_db(output) - thirds_db(case.clean)
    return float(np.std(apart))


ROW = Row(
    title="voice",
    says="Voices made dull, boomy, thin and sharp, by 8 to 12 dB, and as they are; nobody is told the voice.",
    cases=cases,
    ours=retake({"plugin": "voice"}),
    peers=[
        ffmpeg("bass=g=-3:f=150,treble=g=3:f=5000", name="ffmpeg, a fixed curve for speech"),
        ffmpeg("treble=g=-3:f=5000", name="ffmpeg, the opposite"),
    ],
    metrics=[Metric("spectrum off the voice's", "dB", off, higher_is_better=False), PESQ],
)
