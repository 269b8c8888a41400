"""A row: clean signals, a known degradation of each, who corrects it, and how the result is judged."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from .metrics import Metric
    from .systems import System


@dataclass(frozen=True)
class Case:
    """One degraded signal whose clean original is known.

    Signals are float arrays within -1..1: (frames,) for one channel, (frames, channels) for more.
    """

    name: str
    #: What the tables break the first metric down by: "10 dB", "hum".
    group: str
    rate: int
    clean: np.ndarray
    degraded: np.ndarray
    #: What else a metric or a peer must know: where the clicks are, the frequency of the hum.
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Row:
    title: str
    #: One sentence for the docs: what the signals are and what was done to them.
    says: str
    #: The same cases every time: every random generator in it has a fixed seed.
    cases: Callable[[], Iterable[Case]]
    #: What is judged, first.
    ours: "System"
    peers: list["System"]
    metrics: list["Metric"]
    #: Where given, the docs name every case whose first metric is worse than that of what came in by more.
    harmless_within: float | None = None
