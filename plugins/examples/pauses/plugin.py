"""Lists the pauses of a recording, so that an editor knows where to cut. Changes nothing."""

from wit_world import exports
from wit_world.imports import types


class Corrector(exports.Corrector):
    def describe(self) -> types.Manifest:
        level = types.FloatRange(min=-90.0, max=-20.0, default=-50.0, step=1.0, scale=types.Scale.LINEAR)
        length = types.FloatRange(min=0.1, max=60.0, default=1.0, step=None, scale=types.Scale.LOGARITHMIC)
        return types.Manifest(
            id="org.retake.examples.pauses",
            name="Pauses",
            version="0.1.0",
            vendor="Retake",
            summary="Lists the pauses of a recording. Changes nothing.",
            license="MIT OR Apache-2.0",
            params=[
                types.Param(
                    id="below-dbfs",
                    label="Below",
                    help="What stays below this level is a pause.",
                    unit="dB",
                    group="",
                    kind=types.ParamKind_Float(level),
                ),
                types.Param(
                    id="longer-than-s",
                    label="Longer than",
                    help="Shorter pauses are not listed.",
                    unit="s",
                    group="",
                    kind=types.ParamKind_Float(length),
                ),
            ],
            passes=types.Passes.ANALYZE,
            channels=types.ChannelUse.LINKED,
            max_channels=0,
            sample_rates=[],
            block_quantum=1,
            extras=[],
        )
