"""Voices with pauses, over the noise of a room."""

import numpy as np

from bench import Case, Metric, Row, ffmpeg, retake
from bench.metrics import decibels, power, si_sdr
from bench.noises import mixed, pink
from bench.voices import RATE, voices

#: The pauses begin at these seconds of speech and last so long.
PAUSES_AT = (2.0, 4.0, 6.0)
PAUSE_S = 1.5
RANGE_DB = 12


def cases():
    for voice, speech in voices().items():
        clean, pause = with_pauses(speech)
        for snr_db in (20, 30, 40):
            degraded = mixed(clean, pink(len(clean), voice), snr_db)
            noise_db = decibels(power((degraded - clean)[pause]))
            facts = {"pause": pause, "noise_db": noise_db}
            yield Case(f"{voice} {snr_db} dB", f"{snr_db} dB", RATE, clean, degraded, facts)


def with_pauses(speech):
    """The voice with silence let in, and where there is nothing of it, but for 0.3 s at its ends."""
    parts, silent = [], []
    for part in np.split(speech, [int(at * RATE) for at in PAUSES_AT]):
        faded = part.copy()
        fade = np.linspace(0, 1, RATE // 100)
        faded[: len(fade)] *= fade
        faded[-len(fade) :] *= fade[::-1]
        pause = np.zeros(int(PAUSE_S * RATE))
        middle = pause.astype(bool)
        middle[int(0.5 * RATE) : -int(0.3 * RATE)] = True
        parts += [faded, pause]
        silent += [np.zeros(len(part), bool), middle]
    return np.concatenate(parts), np.concatenate(silent)


def pauses(case, output):
    pause = case.facts["pause"]
    return decibels(power(output[pause]) / power(case.degraded[pause]))


def speech(case, output):
    """Against the noisy voice: whatever the gate does while somebody speaks is harm."""
    spoken = np.convolve(np.abs(case.clean) > 0.003, np.ones(RATE // 20), "same") > 0
    return si_sdr(Case("", "", RATE, case.degraded[spoken], output), output[spoken])


def threshold(case):
    """What no listener knows: 8 dB above the noise."""
    return case.facts["noise_db"] + 8


def compand(case):
    """Below the threshold down by the range, above it as it is."""
    at = threshold(case)
    return f"{at - 30:.1f},{at - 30 - RANGE_DB:.1f},{at - 0.1:.1f},{at - 0.1 - RANGE_DB:.1f},{at:.1f},{at:.1f},0,0"


ROW = Row(
    title="gate",
    says=f"Voices with pauses over room noise 20 to 40 dB below them; every gate may take {RANGE_DB} dB.",
    cases=cases,
    ours=retake({"plugin": "gate", "params": {"range-db": RANGE_DB}}),
    peers=[
        ffmpeg(
            lambda case: f"agate=range={10 ** (-RANGE_DB / 20)}:threshold={10 ** (threshold(case) / 20)}"
            ":ratio=9000:attack=5:release=250:detection=rms",
            name="ffmpeg agate",
        ),
        ffmpeg(
            lambda case: "compand=attacks=0.005:decays=0.25:points="
            + "|".join(f"{x}/{y}" for x, y in np.array(compand(case).split(",")).reshape(-1, 2)),
            name="ffmpeg compand",
        ),
        ffmpeg("afftdn", name="ffmpeg afftdn"),
    ],
    metrics=[
        Metric("left in pauses", "dB", pauses, higher_is_better=False, digits=1),
        Metric("SI-SDR in speech", "dB", speech, digits=1),
    ],
)
