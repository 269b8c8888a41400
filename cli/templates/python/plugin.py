"""What the plugin says of itself. Its session, where the audio is, stands in corrector.py."""

from wit_world import exports
from wit_world.imports import types


class Corrector(exports.Corrector):
    def describe(self) -> types.Manifest:
        drive = types.Param(
            id="drive-db",  # for ever: stored chains refer to it
            label="Drive",
            help="Gain before the curve: the more, the rounder.",
            unit="dB",
            group="",
            kind=types.ParamKind_Float(
                types.FloatRange(min=0.0, max=24.0, default=6.0, step=None, scale=types.Scale.LINEAR)
            ),
        )
        return types.Manifest(
            id="@ID@",  # for ever, too
            name="@TITLE@",
            version="0.1.0",
            vendor="Example",
            summary="Rounds peaks off instead of clipping them.",
            license="MIT",
            params=[drive],
            passes=types.Passes.PROCESS,
            channels=types.ChannelUse.INDEPENDENT,
            max_channels=0,  # any number
            sample_rates=[],  # any rate
            block_quantum=1,
            extras=[],
        )
