"""To -16 LUFS under -1.5 dBTP."""

import json
from pathlib import Path

import numpy as np

from bench import LOUDNESS_ERROR, TRUE_PEAK_OVER, Case, Row, ffmpeg, retake
from bench.noises import generator, mixed, pink
from bench.systems import System, aligned, result, run
from bench.voices import RATE, music, voices

TARGET_LUFS = -16.0
CEILING_DBTP = -1.5
LOUDNORM = f"loudnorm=I={TARGET_LUFS}:TP={CEILING_DBTP}:LRA=11"


def cases():
    facts = {"target_lufs": TARGET_LUFS, "ceiling_dbtp": CEILING_DBTP}
    signals = {name: mixed(voice, pink(len(voice), name), 40) for name, voice in voices(20.0).items()}
    signals |= music(20.0)
    for name, signal in signals.items():
        for kind, gain_db in (("quiet", -20), ("as recorded", 0), ("hot", 12)):
            # What a converter does with too much level.
            loud = np.clip(signal * 10 ** (gain_db / 20), -1, 1)
            yield Case(f"{name} {kind}", kind, RATE, loud, loud, facts)
        yield Case(f"{name} with a clap", "one clap", RATE, *2 * [clapped(signal, name)], facts)


def clapped(signal, name):
    """One event far above the rest: the peak that a linear gain would stop at."""
    random = generator("clap", name)
    clap = random.standard_normal(RATE // 20) * np.exp(-np.arange(RATE // 20) / 300)
    clapped = signal.copy()
    clapped[3 * RATE : 3 * RATE + len(clap)] += 0.9 * clap / np.abs(clap).max()
    return np.clip(clapped, -1, 1)


def two_passes(case: Case, folder: Path) -> np.ndarray:
    """ffmpeg's loudnorm as its documentation has it: measure, then normalise."""
    said = run("ffmpeg", "-nostdin", "-hide_banner", "-i", "input.wav", "-af", f"{LOUDNORM}:print_format=json",
               "-f", "null", "-", folder=folder)
    found = json.loads(said[said.rindex("{") : said.rindex("}") + 1])
    measured = ":".join(f"measured_{key}={found[f'input_{value}']}"
                        for key, value in (("I", "i"), ("TP", "tp"), ("LRA", "lra"), ("thresh", "thresh")))
    run("ffmpeg", "-nostdin", "-v", "error", "-y", "-i", "input.wav",
        "-af", f"{LOUDNORM}:{measured}:linear=true", "-ar", str(case.rate), "-c:a", "pcm_f32le", "peer.wav",
        folder=folder)
    return aligned(result(folder / "peer.wav", case), case)


ROW = Row(
    title="loudness",
    says="Voices and music from quiet to clipping, and with one clap far above the rest, to -16 LUFS under -1.5 dBTP.",
    cases=cases,
    ours=retake({"plugin": "loudness", "params": {"target-lufs": TARGET_LUFS, "true-peak-dbtp": CEILING_DBTP}}),
    peers=[
        ffmpeg(LOUDNORM, name="ffmpeg loudnorm, one pass"),
        System("ffmpeg loudnorm, two passes", two_passes),
    ],
    metrics=[LOUDNESS_ERROR, TRUE_PEAK_OVER],
)
