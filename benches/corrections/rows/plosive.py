"""Voices that blow into the microphone."""

import numpy as np
from scipy.signal import butter, sosfilt

from bench import PESQ, SI_SDR, Case, Metric, Row, ffmpeg, retake
from bench.metrics import TINY, decibels, power
from bench.noises import generator
from bench.voices import RATE, spoken_power, voices


def cases():
    for voice, clean in voices().items():
        for over_db in (None, 0, 8):
            degraded, pops = clean.copy(), []
            for start in words(clean) if over_db is not None else []:
                sound = pop(f"{voice} {start}") * np.sqrt(spoken_power(clean)) * 10 ** (over_db / 20)
                degraded[start : start + len(sound)] += sound[: len(clean) - start]
                pops.append((start, start + len(sound)))
            group = "no pops" if over_db is None else f"{over_db} dB"
            yield Case(f"{voice} {group}", group, RATE, clean, degraded, {"pops": pops})


def words(clean):
    """Where a loud stretch follows a quiet one, 0.6 s apart at least."""
    hop = RATE // 50
    level = np.square(clean[: len(clean) // hop * hop]).reshape(-1, hop).mean(axis=1)
    loud = level > 0.1 * spoken_power(clean)
    starts, last = [], -RATE
    for at in np.flatnonzero(loud[1:] & ~loud[:-1]):
        if at * hop - last >= 0.6 * RATE:
            last = at * hop
            starts.append(last)
    return starts


def pop(name):
    """Breath on a membrane: noise below 100 Hz that comes within 5 ms and goes within 40, with a power of 1."""
    random = generator("pop", name)
    frames = int(random.uniform(0.06, 0.12) * RATE)
    low = sosfilt(butter(2, (25, random.uniform(70, 120)), "bandpass", fs=RATE, output="sos"),
                  random.standard_normal(frames + RATE))[RATE:]
    time = np.arange(frames) / RATE
    sound = low * np.minimum(1, time / 0.005) * np.exp(-time / 0.03)
    return sound * np.hanning(2 * frames)[frames:] / np.sqrt(np.mean(np.square(sound)))


def left(case, output):
    """What is left of the pops, in them: the error against what was added. Without pops what was done, under the
    voice."""
    if not case.facts["pops"]:
        return decibels(power(output - case.clean) / power(case.clean))
    at = np.zeros(len(output), bool)
    for start, end in case.facts["pops"]:
        at[start:end] = True
    return decibels(power((output - case.clean)[at]) / (power((case.degraded - case.clean)[at]) + TINY))


ROW = Row(
    title="plosive",
    says="Voices with pops before words, as loud as the voice and 8 dB louder, and without.",
    cases=cases,
    ours=retake({"plugin": "plosive"}),
    peers=[
        retake({"plugin": "highpass", "params": {"cutoff-hz": 80}}, name="retake highpass, 80 Hz"),
        ffmpeg("highpass=f=120", name="ffmpeg highpass, 120 Hz"),
    ],
    metrics=[Metric("left of pops", "dB", left, higher_is_better=False, digits=1), SI_SDR, PESQ],
)
