"""What noise reduction does to what has no noise."""

from bench import LSD, PESQ, SI_SDR, Case, Row, ffmpeg, retake
from bench.noises import mixed, pink
from bench.voices import RATE, music, voices


def cases():
    for name, clean in voices().items():
        yield Case(f"{name} clean", "voice", RATE, clean, clean)
        yield Case(f"{name} 40 dB", "voice, 40 dB", RATE, clean, mixed(clean, pink(len(clean), name), 40))
    for name, clean in music().items():
        # A piece as studios leave it: with a noise floor, 60 dB down.
        yield Case(f"{name}", "music", RATE, clean, mixed(clean, pink(len(clean), name), 60))


ROW = Row(
    title="denoise-harm",
    says="Clean voices, voices over faint noise (40 dB below) and music: nothing should change.",
    cases=cases,
    ours=retake({"plugin": "denoise"}),
    peers=[ffmpeg("afftdn"), ffmpeg("afftdn=nr=20:nf=-25")],
    metrics=[SI_SDR, PESQ, LSD],
)
