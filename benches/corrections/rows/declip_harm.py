"""What declipping does to what is not clipped."""

from bench import LSD, PESQ, SNR, Case, Row, ffmpeg, retake
from bench.voices import RATE, music, voices


def cases():
    for name, clean in voices().items():
        yield Case(name, "voice", RATE, clean, clean)
    for name, clean in music().items():
        yield Case(name, "music", RATE, clean, clean)


ROW = Row(
    title="declip-harm",
    says="Voices and music that are not clipped: nothing should change.",
    cases=cases,
    ours=retake({"plugin": "declip"}),
    peers=[ffmpeg("adeclip")],
    metrics=[SNR, PESQ, LSD],
)
