"""A voice in noise."""

from bench import ESTOI, PESQ, SI_SDR, Case, Row, ffmpeg, retake, sox
from bench.noises import babble, hum, mixed, pink, typing, white
from bench.voices import LEAD_SECONDS, RATE, voices


def cases():
    for voice, clean in voices().items():
        for noise in (white, pink, babble, hum, typing):
            for snr_db in (0, 5, 10, 20):
                degraded = mixed(clean, noise(len(clean), voice), snr_db)
                yield Case(f"{voice} {noise.__name__} {snr_db} dB", f"{snr_db} dB", RATE, clean, degraded)


def noise_alone(case):
    """What no listener has: the second before the voice begins, known to be noise."""
    return case.degraded[: int(LEAD_SECONDS * RATE * 0.9)]


ROW = Row(
    title="denoise",
    says="Voices in white, pink, babble, mains and keyboard noise, 0 to 20 dB below them.",
    cases=cases,
    ours=retake({"plugin": "denoise"}),
    peers=[
        ffmpeg("afftdn"),
        ffmpeg("afftdn=nr=20:nf=-25"),
        sox("noisered", "{profile}", "0.21", name="sox noisered, told the noise", profile=noise_alone),
    ],
    metrics=[PESQ, ESTOI, SI_SDR],
)
