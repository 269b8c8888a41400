"""Where the audio is. A recording is looked at in windows of 50 ms: a window is quiet if no sample of any
channel exceeds the level."""

from wit_world.imports import types

WINDOW_S = 0.05
# A recording of many hours may have thousands: the report has room for so many.
LISTED_MAX = 500


class Session:
    def __init__(self, stream: types.StreamSpec, params: list[types.Setting]) -> None:
        self.level = 10.0 ** (params[0].value.value / 20.0)
        self.rate = stream.sample_rate
        self.shortest = params[1].value.value * self.rate
        self.window = max(1, round(WINDOW_S * self.rate))
        self.channels = stream.channels
        self.frames = 0
        self.quiet_since: int | None = 0
        self.pauses: list[types.Span] = []
        self.count = 0
        # Of the window that is not full yet.
        self.held = 0
        self.loudest = 0.0

    @classmethod
    def open(cls, spec: types.StreamSpec, params: list[types.Setting]) -> "Session":
        return cls(spec, params)

    def latency(self) -> int:
        return 0

    def analyze(self, input: list[list[float]]) -> None:
        start, frames = 0, len(input[0])
        while start < frames:
            end = min(frames, start + self.window - self.held)
            for channel in input:
                piece = channel[start:end]
                self.loudest = max(self.loudest, max(piece), -min(piece))
            self.held += end - start
            start = end
            if self.held == self.window:
                self.close_window()

    def process(self, input: list[list[float]]) -> list[list[float]]:
        return input

    def drain(self, max_frames: int) -> list[list[float]]:
        return [[] for _ in range(self.channels)]

    def report(self) -> types.Report:
        if self.held > 0:
            self.close_window()
        self.end_pause()
        total = sum(pause.frames for pause in self.pauses) / self.rate
        measurements = [
            measurement("pauses", "Pauses", "", types.Value_Int(self.count)),
            measurement("paused", "Time in the listed pauses", "s", types.Value_Float(total)),
        ]
        for pause in self.pauses:
            value = types.Value_Float(pause.frames / self.rate)
            measurements.append(measurement("pause", "Pause", "s", value, pause))
        return types.Report(measurements=measurements, curves=[])

    def close_window(self) -> None:
        if self.loudest > self.level:
            self.end_pause()
            self.quiet_since = None
        elif self.quiet_since is None:
            self.quiet_since = self.frames
        self.frames += self.held
        self.held, self.loudest = 0, 0.0

    def end_pause(self) -> None:
        if self.quiet_since is None or self.frames - self.quiet_since < self.shortest:
            return
        self.count += 1
        if len(self.pauses) < LISTED_MAX:
            self.pauses.append(types.Span(self.quiet_since, self.frames - self.quiet_since))
        # What was counted is not counted again.
        self.quiet_since = None


def measurement(id, label, unit, value, span=None) -> types.Measurement:
    return types.Measurement(id=id, label=label, unit=unit, value=value, channel=None, span=span)
