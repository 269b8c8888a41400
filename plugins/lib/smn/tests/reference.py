"""Writes official/: what the authors' features and network make of made signals, for official.rs to be held against.

    venv/bin/pip install keras==3.15.1 jax==0.10.2 h5py==3.16.0 numpy==2.4.6 scipy==1.17.1 soundfile==0.14.0
    venv/bin/python -m pip download --no-deps inaSpeechSegmenter==0.6.8 && unzip inaSpeechSegmenter-*.whl
    venv/bin/python reference.py inaSpeechSegmenter            writes
    venv/bin/python reference.py inaSpeechSegmenter --check    fails if it would write something else

Features are the package's own (sidekit_mfcc.py), the network is its file in Keras, once as it is and once with the
weights that we have: rounded to 16 bits, which is what makes agreement a question of loops alone. What the rounding
itself costs is printed.
"""

import argparse
import importlib.util
import os
import sys
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"

import keras
import numpy as np

# What the package asks of numpy was taken out of it since.
np.int = int
np.lib.pad = np.pad

FRAMES = 6 * 16_000
PATCH, BANDS, STEP = 68, 21, 25
FOLDER = Path(__file__).resolve().parent / "official"
RAW = Path(__file__).resolve().parent.parent / "weights/smn.f16"


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


def buzz(steps) -> np.ndarray:
    """A saw tooth: whole numbers of 16 bits."""
    return (np.cumsum(np.broadcast_to(steps, FRAMES)) % (1 << 32) >> 16) - 32_768


def signals() -> dict[str, np.ndarray]:
    voice = buzz(29_526_000 + 300 * triangle(10_000)) * np.maximum(triangle(3_333) - 1_300, 0) >> 11
    # Four notes of a chord, one after the other and together.
    notes = [59_055_800, 74_404_000, 88_473_000, 118_111_600]
    chord = sum(buzz(step) * (np.arange(FRAMES) // (4_000 + 900 * n) % 2) for n, step in enumerate(notes))
    mixed = {
        "voice": voice * 2**6 + noise(1) / 2**11,
        "music": chord * 2**5 + noise(4) / 2**13,
        "noise": noise(2) / 2**3,
    }
    return {name: (signal / 2**23).astype(np.float32) for name, signal in mixed.items()}


def loaded(package: Path, name: str):
    spec = importlib.util.spec_from_file_location(name, package / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def of_patches(model: keras.Model) -> keras.Model:
    """Today's Keras takes the old file's batches for a dimension more: the same layers with an input of their own."""
    patch = answer = keras.Input((PATCH, BANDS))
    for layer in model.layers:
        if not isinstance(layer, keras.layers.InputLayer):
            answer = layer(answer)
    return keras.Model(patch, answer)


def rounded(model: keras.Model):
    """The same network with our weights: each normalization lies in the layer before it, so that its own does
    nothing."""
    ours = np.frombuffer(RAW.read_bytes()[8:], "<f2").astype(np.float32)
    layers = [layer for layer in model.layers if layer.weights]
    at = 0
    for layer in layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            size = layer.weights[0].shape
            layer.set_weights([np.ones(size), np.zeros(size), np.zeros(size), np.full(size, 1 - layer.epsilon)])
            continue
        new = []
        for weight in layer.get_weights():
            new.append(ours[at : at + weight.size].reshape(weight.shape))
            at += weight.size
        layer.set_weights(new)
    assert at == len(ours), "there are weights left over"


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("package", type=Path)
    arguments.add_argument("--check", action="store_true")
    arguments = arguments.parse_args()
    mfcc = loaded(arguments.package, "sidekit_mfcc").mfcc
    model = of_patches(keras.models.load_model(arguments.package / "keras_speech_music_noise_cnn.hdf5", compile=False))
    inputs, features = {}, {}
    for name, signal in signals().items():
        _, energy, _, bands = mfcc(signal, get_mspec=True)
        bands = bands[:, :BANDS]
        patches = np.stack([bands[at : at + PATCH] for at in range(0, len(bands) - PATCH + 1, STEP)])
        # As the package's segmenter does.
        mean, deviation = (statistic(patches, axis=(1, 2), keepdims=True) for statistic in (np.mean, np.std))
        inputs[name] = (patches - mean) / deviation
        features[name] = np.concatenate([bands, energy[:, None]], axis=1)
    exact = {name: model.predict(patches, verbose=0) for name, patches in inputs.items()}
    rounded(model)
    FOLDER.mkdir(exist_ok=True)
    for name, patches in inputs.items():
        shares = model.predict(patches, verbose=0)
        print(f"{name}: {shares.mean(axis=0).round(3)}, rounded weights move a share by at most {np.abs(shares - exact[name]).max():.1e}")
        # Every tenth frame, then every answer.
        kept = np.concatenate([features[name][::10].ravel(), shares.ravel()]).astype("<f4")
        path = FOLDER / f"{name}.f32"
        if not arguments.check:
            path.write_bytes(kept.tobytes())
        elif not np.allclose(np.frombuffer(path.read_bytes(), "<f4"), kept, atol=1e-4):
            sys.exit(f"{path.name} is not what the package gives")


if __name__ == "__main__":
    main()
