"""What dereverb does where there is no room."""

from bench import LSD, PESQ, SI_SDR, Row, System, retake
from bench.noises import mixed, pink
from bench.row import Case
from bench.voices import RATE, voices

from .dereverb import wpe_alone


def cases():
    for name, clean in voices().items():
        yield Case(f"{name} dry", "dry", RATE, clean, clean)
        noisy = mixed(clean, pink(len(clean), name), 10)
        yield Case(f"{name} 10 dB", "dry, noise 10 dB below", RATE, noisy, noisy)


ROW = Row(
    title="dereverb-harm",
    says="Voices recorded close by, alone and with noise 10 dB below them: nothing should change.",
    cases=cases,
    ours=retake({"plugin": "dereverb"}),
    peers=[System("nara_wpe 0.0.11", wpe_alone)],
    metrics=[SI_SDR, PESQ, LSD],
)
