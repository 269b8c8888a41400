"""Voices in rooms, for the room to go."""

from dataclasses import replace

from bench import ESTOI, PESQ, SI_SDR, Case, Row, System, retake
from bench.rooms import heard
from bench.systems import fitted
from bench.voices import RATE, voices

#: From mouth to microphone: near, as at a desk, and across it.
DISTANCES_M = (0.7, 1.5)
BEST = {"plugin": "denoise-best"}


def cases():
    for voice, clean in voices().items():
        for rt60_s in (0.4, 0.8):
            for distance_m in DISTANCES_M:
                degraded = heard(clean, voice, rt60_s, distance_m)
                yield Case(f"{voice} {rt60_s} s, {distance_m} m", f"{rt60_s} s, {distance_m} m", RATE, clean, degraded)


def wpe_alone(case, _folder):
    """nara_wpe, by colleagues of the method's authors, with the settings of its own example."""
    from nara_wpe.utils import istft, stft
    from nara_wpe.wpe import wpe

    size, hop = 1536, 384
    bands = stft(case.degraded, size, hop).T[:, None]
    left = istft(wpe(bands, taps=10, delay=3, iterations=5)[:, 0].T, size, hop)
    return fitted(left, len(case.degraded))


def reference(case, folder):
    return retake(BEST).output(replace(case, degraded=wpe_alone(case, folder)), folder)


ROW = Row(
    title="dereverb",
    says="Voices in boxes by the image method, that sound on for 0.4 and 0.8 s (RT60), 0.7 and 1.5 m from the microphone; the room taken, then denoise-best.",
    cases=cases,
    ours=retake({"plugin": "dereverb"}, BEST),
    peers=[
        retake({"plugin": "dereverb"}, name="retake dereverb alone"),
        retake(BEST, name="retake denoise-best alone"),
        System("nara_wpe 0.0.11, then denoise-best", reference),
    ],
    metrics=[PESQ, ESTOI, SI_SDR],
)
