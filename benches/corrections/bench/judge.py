"""Runs all cases of a row through all systems and scores what comes out."""

import hashlib
import inspect
import multiprocessing
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .metrics import Metric
from .noises import generator
from .row import Case, Row
from .systems import CACHE, System, unprocessed

#: One case's scores: system, metric -> number.
Scores = dict[tuple[str, str], float]


@dataclass(frozen=True)
class Verdict:
    row: Row
    systems: list[System]
    #: One for each case: its name, its group and its scores.
    scores: list[tuple[str, str, Scores]]

    def mean(self, system: System, metric: Metric, group: str | None = None) -> float:
        rows = [scores for _, of, scores in self.scores if group in (None, of)]
        return float(np.mean([scores[system.name, metric.name] for scores in rows]))

    def means(self, metric: Metric, group: str | None = None) -> dict[str, float]:
        return {system.name: self.mean(system, metric, group) for system in self.systems}

    def worse(self, system: System, than: System) -> dict[str, float]:
        """By how much the first metric is worse, for each case where it is by more than the row allows."""
        metric = self.row.metrics[0]
        lost = {}
        for name, _, scores in self.scores:
            one, other = (scores[of.name, metric.name] for of in (system, than))
            by = other - one if metric.higher_is_better else one - other
            if by > (self.row.harmless_within or 0):
                lost[name] = by
        return lost

    @property
    def groups(self) -> list[str]:
        return list(dict.fromkeys(group for _, group, _ in self.scores))


def judge(row: Row, every: int = 1) -> Verdict:
    """All cases, or one of `every`, the same ones each time: two cores want some minutes for a
    hundred of them."""
    systems = [unprocessed(), row.ours, *row.peers]
    cases = list(row.cases())
    # Spread at random: the cases are nested loops, and each N-th would be always the same voice.
    chosen = generator("every").permutation(len(cases))[: -(-len(cases) // every)]
    cases = [cases[index] for index in sorted(chosen)]

    # Processes forked from here have the cases and the row's functions without being sent them.
    global _judge_case
    _judge_case = lambda index: scored(cases[index], systems, row.metrics)
    workers = int(os.environ.get("RETAKE_BENCH_WORKERS", os.cpu_count() or 1))
    with multiprocessing.get_context("fork").Pool(workers) as pool:
        scores = pool.map(_judge_index, range(len(cases)), chunksize=1)
    return Verdict(row, systems, [(case.name, case.group, score) for case, score in zip(cases, scores)])


def _judge_index(index: int) -> Scores:
    return _judge_case(index)


def scored(case: Case, systems: list[System], metrics: list[Metric]) -> Scores:
    scores = {}
    for system in systems:
        with tempfile.TemporaryDirectory(prefix="retake-corrections-") as folder:
            output = system.output(case, Path(folder))
        for metric in metrics:
            scores[system.name, metric.name] = remembered(metric, case, output)
    return scores


def remembered(metric: Metric, case: Case, output: np.ndarray) -> float:
    """A score depends on the signals alone, so a second run scores only what changed."""
    digest = hashlib.sha256(repr((metric.name, inspect.getsource(metric.score), case.rate, case.facts)).encode())
    digest.update(case.clean.tobytes())
    digest.update(output.tobytes())
    place = CACHE / "scores" / digest.hexdigest()
    try:
        return float(place.read_text())
    except FileNotFoundError:
        score = float(metric.score(case, output))
        place.parent.mkdir(parents=True, exist_ok=True)
        unfinished = place.with_suffix(f".{os.getpid()}")
        unfinished.write_text(repr(score))
        unfinished.rename(place)
        return score
