"""Voices whose sibilants are too sharp."""

import numpy as np
from scipy.signal import firwin, oaconvolve, sosfiltfilt, butter

from bench import PESQ, Case, Metric, Row, ffmpeg, retake
from bench.metrics import TINY, decibels, log_spectral_distance, power
from bench.voices import RATE, voices

#: What is made sharp.
BAND_HZ = (5_000, 9_000)
FRAME = RATE // 100


def cases():
    for voice, clean in voices().items():
        sibilants = found(clean)
        for boost_db in (0, 6, 10):
            edges = np.convolve(np.repeat(sibilants, FRAME), np.hanning(FRAME) / (FRAME / 2), "same")
            edges = np.pad(edges, (0, len(clean) - len(edges)))
            degraded = clean + (10 ** (boost_db / 20) - 1) * edges * band(clean)
            yield Case(f"{voice} {boost_db} dB", f"{boost_db} dB", RATE, clean, degraded, {"sibilants": sibilants})


def band(signal):
    """Of linear phase, so that a boost is only that."""
    return oaconvolve(signal, firwin(511, BAND_HZ, fs=RATE, pass_zero=False), "same")


def found(clean):
    """Frames of 10 ms in which the band outweighs what is below 4 kHz, and is heard."""
    low = sosfiltfilt(butter(4, 4_000, fs=RATE, output="sos"), clean)
    high, low = (frames(np.square(signal)).mean(axis=1) for signal in (band(clean), low))
    return (high > low) & (high > 1e-3 * low.max())


def frames(signal):
    return signal[: len(signal) // FRAME * FRAME].reshape(-1, FRAME)


def sharpness(case, output):
    """How far the band's level in the sibilants is from the clean voice's, either way."""
    sibilants = case.facts["sibilants"]
    out, clean = (np.square(frames(band(signal))).mean(axis=1)[sibilants] for signal in (output, case.clean))
    return float(np.sqrt(np.mean((10 * np.log10((out + TINY) / (clean + TINY))) ** 2)))


def elsewhere(case, output):
    """What was done where there is no sibilant, under the voice."""
    kept = ~np.convolve(case.facts["sibilants"], np.ones(5), "same").astype(bool)
    changed = frames(output - case.clean)[kept]
    return decibels(power(changed) / power(frames(case.clean)[kept]))


def lisped(case, output):
    """How many sibilants lost more than 3 dB against the clean voice's."""
    sibilants = case.facts["sibilants"]
    out, clean = (np.square(frames(band(signal))).mean(axis=1)[sibilants] for signal in (output, case.clean))
    return 100 * float(np.mean(10 * np.log10((out + TINY) / (clean + TINY)) < -3))


ROW = Row(
    title="de-ess",
    says="Voices whose sibilants were boosted by 0, 6 and 10 dB from 5 to 9 kHz.",
    cases=cases,
    ours=retake({"plugin": "de-ess"}),
    peers=[
        ffmpeg("deesser=i=0.2"),
        ffmpeg("deesser=i=0.5"),
        ffmpeg("deesser=i=1"),
    ],
    metrics=[
        Metric("sibilants off", "dB", sharpness, higher_is_better=False),
        Metric("lisped", "%", lisped, higher_is_better=False, digits=1),
        Metric("LSD", "dB", log_spectral_distance, higher_is_better=False),
        Metric("changed elsewhere", "dB", elsewhere, higher_is_better=False, digits=1),
        PESQ,
    ],
)
