"""A voice, encoded."""

from bench import LSD, PESQ, Case, Row, encoded, rendered
from bench.voices import RATE, voices


def cases():
    for voice, clean in voices().items():
        yield Case(voice, "128 kbit/s", RATE, clean, clean)


ROW = Row(
    title="m4a_speech",
    says="Voices as M4A (AAC-LC) in mono at 128 kbit/s, as ffmpeg hears it: PESQ at least 4.0.",
    cases=cases,
    ours=rendered("m4a:bitrate=128", name="retake"),
    peers=[
        encoded("m4a", "-c:a", "aac", "-b:a", "128k", name="ffmpeg aac"),
    ],
    metrics=[PESQ, LSD],
)
