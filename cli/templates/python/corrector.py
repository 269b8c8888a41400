"""Rounds peaks off instead of clipping them. Replace it with your correction: everything a plugin
needs is here. What each function must do stands in wit/correction.wit.

Python runs in an interpreter inside the sandbox, more than a hundred times slower than Rust or C: it is
good for measuring, gating and simple curves, not for a denoiser.
"""

import math

from wit_world.imports import types


class Session:
    """One stream being corrected."""

    def __init__(self, stream: types.StreamSpec, params: list[types.Setting]) -> None:
        # Every parameter is there once, in the order of `describe`, within its range.
        self.channels = stream.channels
        self.drive = 10.0 ** (params[0].value.value / 20.0)
        self.peak = 0.0

    @classmethod
    def open(cls, spec: types.StreamSpec, params: list[types.Setting]) -> "Session":
        return cls(spec, params)

    def latency(self) -> int:
        return 0

    def analyze(self, input: list[list[float]]) -> None:
        pass

    def process(self, input: list[list[float]]) -> list[list[float]]:
        output = [[math.tanh(sample * self.drive) for sample in channel] for channel in input]
        for channel in output:
            self.peak = max(self.peak, max(map(abs, channel), default=0.0))
        return output

    def drain(self, max_frames: int) -> list[list[float]]:
        # Every block was answered in full: nothing is held back.
        return [[] for _ in range(self.channels)]

    def report(self) -> types.Report:
        level = 20.0 * math.log10(self.peak) if self.peak > 0.0 else -math.inf
        peak = types.Measurement(
            id="peak", label="Peak", unit="dB", value=types.Value_Float(level), channel=None, span=None
        )
        return types.Report(measurements=[peak], curves=[])
