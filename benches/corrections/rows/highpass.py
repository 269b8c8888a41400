"""A voice over rumble."""

from bench import LSD, PESQ, Case, Row, below, ffmpeg, retake, sox
from bench.noises import mixed, rumble
from bench.voices import RATE, voices


def cases():
    for voice, clean in voices().items():
        for snr_db in (-10, 0, 10):
            degraded = mixed(clean, rumble(len(clean), voice), snr_db)
            yield Case(f"{voice} {snr_db} dB", f"{snr_db} dB", RATE, clean, degraded)


ROW = Row(
    title="highpass",
    says="Voices over wind and handling noise below 40 Hz.",
    cases=cases,
    ours=retake({"plugin": "highpass"}),
    peers=[
        # Both filters are of second order: twice, with the Q of a Butterworth filter of fourth.
        ffmpeg("highpass=f=80:width_type=q:w=0.5412,highpass=f=80:width_type=q:w=1.3066",
               name="ffmpeg highpass, twice"),
        ffmpeg("highpass=f=80"),
        sox("highpass", "80"),
    ],
    # Not SNR: each of these filters turns the phase of what it keeps, and SNR would count that as noise.
    metrics=[below(40), PESQ, LSD],
)
