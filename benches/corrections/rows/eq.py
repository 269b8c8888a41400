"""Does an equaliser do what the analogue one would?"""

import numpy as np

from bench import Case, Metric, Row, System, ffmpeg, retake, sox

FRAMES = 1 << 16
PULSE = 0.25
#: Band of ours, gain, frequency, Q.
BANDS = [
    ("peak-1", 6, 100, 1.0),
    ("peak-2", 12, 3_000, 2.0),
    ("peak-3", -9, 8_000, 0.7),
    ("peak-3", 6, 14_000, 1.0),
    ("peak-3", 12, 18_000, 1.0),
    ("low", 6, 120, 0.7),
    ("high", -6, 8_000, 0.7),
    ("high", 9, 14_000, 0.7),
]


def cases():
    for rate in (16_000, 44_100, 48_000):
        for band in BANDS:
            if band[2] < rate / 2:
                pulse = np.zeros(FRAMES)
                pulse[FRAMES // 4] = PULSE
                kind = band[0].split("-")[0]
                yield Case(f"{band} {rate}", kind, rate, pulse, pulse, {"band": band})


def analogue_db(band, hz):
    """R. Bristow-Johnson's prototypes."""
    name, gain_db, frequency_hz, q = band
    a = 10 ** (gain_db / 40)
    s = 1j * hz / frequency_hz
    if name.startswith("peak"):
        response = (s**2 + a / q * s + 1) / (s**2 + s / (a * q) + 1)
    else:
        width = np.sqrt(a) / q
        low = a * (s**2 + width * s + a) / (a * s**2 + width * s + 1)
        high = a * (a * s**2 + width * s + 1) / (s**2 + width * s + a)
        response = low if name == "low" else high
    return 20 * np.log10(np.abs(response))


def off(case, output):
    """The largest distance of the gain from the analogue one, from 20 Hz to nine tenths of half the rate."""
    hz = np.geomspace(20, 0.45 * case.rate, 200)

    turns = np.exp(-2j * np.pi * np.outer(hz, np.arange(FRAMES)) / case.rate)
    gain_db = 20 * np.log10(np.abs(turns @ output) / PULSE)
    return float(np.max(np.abs(gain_db - analogue_db(case.facts["band"], hz))))


def ours(case, folder):
    name, gain_db, hz, q = case.facts["band"]
    params = {f"{name}-db": gain_db, f"{name}-hz": hz, f"{name}-q": q}
    return retake({"plugin": "eq", "params": params}).correct(case, folder)


def filtered(case):
    name, gain_db, hz, q = case.facts["band"]
    kind = {"low": "bass", "high": "treble"}.get(name, "equalizer")
    # ffmpeg and sox give a shelf its Q as this filter's width.
    return f"{kind}=f={hz}:t=q:w={q}:g={gain_db}"


def sox_effect(case, folder):
    name, gain_db, hz, q = case.facts["band"]
    kind = {"low": "bass", "high": "treble"}.get(name)
    effect = [kind, str(gain_db), str(hz), f"{q}q"] if kind else ["equalizer", str(hz), f"{q}q", str(gain_db)]
    return sox(*effect).correct(case, folder)


ROW = Row(
    title="eq",
    says="Bands from 100 Hz to 18 kHz at three rates, against the gain of the analogue filter.",
    cases=cases,
    ours=System("retake", ours),
    peers=[ffmpeg(filtered, name="ffmpeg equalizer, bass, treble"), System("sox equalizer, bass, treble", sox_effect)],
    metrics=[Metric("off the analogue gain", "dB", off, higher_is_better=False)],
)
