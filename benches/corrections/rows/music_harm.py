"""What is left of music where speech-best takes noise from a voice: all of it should be."""

from dataclasses import replace

import numpy as np

from bench import LSD, SI_SDR, Case, Metric, Row, retake
from bench.noises import mixed, pink
from bench.voices import RATE, decoded, leveled, music, unpacked, voices

#: Name, package, file, start. A choir and much percussion are in it on purpose: they are what is hard. The limits of
#: segment were set with these among others in view; what it does with pieces that nobody had looked at stands in
#: docs/benchmarks.md.
PIECES = [
    ("choir", "wesnoth-1.16-music", "**/nunc_dimittis.ogg", 70),
    ("minstrels", "wesnoth-1.16-music", "**/traveling_minstrels.ogg", 70),
    ("knolls", "wesnoth-1.16-music", "**/knolls.ogg", 70),
    ("drums", "wesnoth-1.16-music", "**/knalgan_theme.ogg", 70),
    ("frantic", "wesnoth-1.16-music", "**/frantic.ogg", 70),
    ("blues", "lincity-ng-data", "**/02 - *.ogg", 70),
    ("lincity", "lincity-ng-data", "**/01 - *.ogg", 70),
    ("game", "frozen-bubble-data", "**/frozen-mainzik-1p.ogg", 10),
]
SECONDS = 16
SPARE = {"music": 1}
#: One after the other: whatever harms music spares it.
LIGHT = ("hum", "highpass", "denoise", "de-ess", "leveler")


def pieces() -> dict[str, np.ndarray]:
    found = dict(music(seconds=SECONDS))
    for name, package, pattern, start in PIECES:
        files = sorted(unpacked(package).glob(pattern))
        if files:
            found[name] = leveled(decoded(files[:1], start, SECONDS))
    return found


def cases():
    talk = next(iter(voices(seconds=16).values()))
    talk = mixed(talk, pink(len(talk), "talk"), 20)
    for name, piece in pieces().items():
        yield Case(name, "alone", RATE, piece, piece)
        # Twelve seconds between two stretches of talk: only the piece is judged.
        jingle = piece[: 12 * RATE]
        whole = np.concatenate([talk, jingle, talk])
        facts = {"from": len(talk), "to": len(talk) + len(jingle)}
        yield Case(f"{name} in a talk", "in a talk", RATE, whole, whole, facts)


def within(metric: Metric) -> Metric:
    """Of the piece alone, where it stands in a talk."""

    def score(case: Case, output: np.ndarray) -> float:
        part = slice(case.facts.get("from", 0), case.facts.get("to", len(output)))
        inner = Case(case.name, case.group, case.rate, case.clean[part], case.degraded[part])
        return metric.score(inner, output[part])

    return replace(metric, score=score)


ROW = Row(
    title="music-harm",
    says="Pieces of music alone, and twelve seconds of each within a talk: nothing of them should change.",
    cases=cases,
    ours=retake({"plugin": "segment"}, {"plugin": "highpass", "spare": SPARE}, {"plugin": "denoise-best"}),
    peers=[
        retake({"plugin": "denoise-best"}, name="retake denoise-best alone"),
        retake({"plugin": "segment"}, *({"plugin": name, "spare": SPARE} for name in LIGHT), name="retake, light"),
    ],
    metrics=[within(SI_SDR), within(LSD)],
)
