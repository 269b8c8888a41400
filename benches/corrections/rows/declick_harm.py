"""What click removal does where there are no clicks."""

from bench import LSD, PESQ, SNR, Case, Row, ffmpeg, retake
from bench.noises import mixed, pink
from bench.voices import RATE, music, voices


def cases():
    for name, clean in voices().items():
        yield Case(name, "voice", RATE, clean, clean)
        yield Case(f"{name} 40 dB", "voice, 40 dB", RATE, *[mixed(clean, pink(len(clean), name), 40)] * 2)
    for name, clean in music().items():
        yield Case(name, "music", RATE, clean, clean)


ROW = Row(
    title="declick-harm",
    says="Voices with their plosives, voices over faint noise, and music, all without clicks: nothing should change.",
    cases=cases,
    ours=retake({"plugin": "declick"}),
    peers=[ffmpeg("adeclick"), ffmpeg("adeclick=t=4", name="ffmpeg adeclick, threshold 4")],
    metrics=[SNR, PESQ, LSD],
)
