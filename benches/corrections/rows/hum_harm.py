"""What hum removal does where there is no hum."""

from bench import LSD, PESQ, SI_SDR, Case, Row, ffmpeg, retake
from bench.noises import mixed, pink
from bench.voices import RATE, music, voices

from .hum import notches


def cases():
    for name, clean in voices(seconds=16).items():
        yield Case(f"{name} 40 dB", "voice", RATE, *[mixed(clean, pink(len(clean), name), 40)] * 2, {"mains_hz": 50})
    for name, clean in music(seconds=16).items():
        yield Case(name, "music", RATE, clean, clean, {"mains_hz": 50})


ROW = Row(
    title="hum-harm",
    says="Voices and music without hum: nothing should change.",
    cases=cases,
    ours=retake({"plugin": "hum"}),
    peers=[ffmpeg(notches(1), name="ffmpeg bandreject, 1 Hz")],
    metrics=[SI_SDR, PESQ, LSD],
)
