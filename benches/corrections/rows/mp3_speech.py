"""A voice, encoded."""

from bench import LSD, PESQ, Case, Row, encoded, rendered
from bench.voices import RATE, voices


def cases():
    for voice, clean in voices().items():
        yield Case(voice, "64 kbit/s", RATE, clean, clean)


ROW = Row(
    title="mp3_speech",
    says="Voices as MP3 in mono at 64 kbit/s, as ffmpeg hears it: PESQ at least LAME's.",
    cases=cases,
    ours=rendered("mp3:bitrate=64", name="retake"),
    peers=[
        encoded("mp3", "-c:a", "libmp3lame", "-b:a", "64k", name="LAME"),
    ],
    metrics=[PESQ, LSD],
)
