"""How well a voice survives an encoder: the same voices, ours beside a peer at the same bitrate."""

from .metrics import LSD, PESQ
from .row import Case, Row
from .systems import encoded, rendered
from .voices import RATE, voices


def encoded_voices(ending, kbps, says, peer, peer_name):
    """The row of one format, in mono; `peer` is what ffmpeg calls its encoder."""

    def cases():
        for voice, clean in voices().items():
            yield Case(voice, f"{kbps} kbit/s", RATE, clean, clean)

    return Row(
        title=f"{ending}_speech",
        says=says,
        cases=cases,
        ours=rendered(f"{ending}:bitrate={kbps}", name="retake"),
        peers=[encoded(ending, "-c:a", peer, "-b:a", f"{kbps}k", name=peer_name)],
        metrics=[PESQ, LSD],
    )
