"""A verdict as text: for the terminal and for docs/benchmarks.md."""

import re
from pathlib import Path

from .judge import Verdict
from .metrics import Metric

BEGIN = "<!-- benches/run corrections: begin -->"
END = "<!-- benches/run corrections: end -->"


def markdown(verdict: Verdict) -> str:
    """A section: a line per system, its mean of every metric, the first metric by group, and who
    is best at what."""
    row = verdict.row
    first, groups = row.metrics[0], verdict.groups
    if len(groups) == 1:
        groups = []
    headings = [metric.heading for metric in row.metrics] + [f"{first.name}: {group}" for group in groups]
    columns = [(metric, None) for metric in row.metrics] + [(first, group) for group in groups]
    lines = [
        f"### {row.title}",
        "",
        f"{row.says} {len(verdict.scores)} signals.",
        "",
        line(["", *headings]),
        line(["---"] * (len(headings) + 1)),
    ]
    for system in verdict.systems:
        cells = [cell(verdict, system.name, metric, group) for metric, group in columns]
        lines.append(line([system.name, *cells]))
    return "\n".join([*lines, "", conclusion(verdict), ""])


def cell(verdict: Verdict, system: str, metric: Metric, group: str | None) -> str:
    means = verdict.means(metric, group)
    number = f"{means[system]:.{metric.digits}f}"
    return f"**{number}**" if system == metric.best(means) else number


def conclusion(verdict: Verdict) -> str:
    """For each metric: whether ours is ahead of the best peer, level with it or behind."""
    said = {"ahead": [], "level": [], "behind": []}
    for metric in verdict.row.metrics:
        said[standing(verdict, metric)].append(metric.name)
    parts = [f"{word} at {', '.join(names)}" for word, names in said.items() if names]
    return f"Against the best peer: {'; '.join(parts)}.{harm(verdict)}"


def harm(verdict: Verdict) -> str:
    """Which cases each system made worse, where the row asks for that."""
    if verdict.row.harmless_within is None:
        return ""
    untouched, ours, *peers = verdict.systems
    lost = verdict.worse(ours, untouched)
    named = ", ".join(f"{name} (by {by:.2f})" for name, by in sorted(lost.items(), key=lambda item: -item[1]))
    counts = ", ".join(f"{peer.name} {len(verdict.worse(peer, untouched))}" for peer in peers)
    within = f"{verdict.row.metrics[0].name} by more than {verdict.row.harmless_within}"
    return f" Worse than what came in, {within}: {ours.name} {len(lost)} of {len(verdict.scores)}" + (
        f", {named}" if lost else "") + f"; {counts}."


def standing(verdict: Verdict, metric: Metric) -> str:
    means = verdict.means(metric)
    ours = means[verdict.row.ours.name]
    peers = {peer.name: means[peer.name] for peer in verdict.row.peers}
    best = peers[metric.best(peers)]
    if metric.better(ours, best):
        return "ahead"
    return "behind" if metric.better(best, ours) else "level"


def terminal(section: str) -> str:
    """The same section with its columns aligned."""
    rows = [text.strip("|").split("|") for text in section.splitlines() if text.startswith("|")]
    rows = [[cell.strip() for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    aligned = iter(
        "  ".join([row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:]))])
        for row in rows
    )
    return "\n".join(next(aligned) if text.startswith("|") else text for text in section.splitlines())


def write(sections: list[str], page: Path) -> None:
    """Puts the sections between the page's two markers, in the place of those with the same titles;
    sections of rows that did not run stay."""
    text = page.read_text()
    before, between, after = re.fullmatch(
        f"(.*{re.escape(BEGIN)}\n)(.*)({re.escape(END)}.*)", text, flags=re.DOTALL
    ).groups()
    kept = {title(part): part.strip() for part in re.split(r"^(?=### )", between, flags=re.MULTILINE) if part.strip()}
    kept |= {title(section): section.strip() for section in sections}
    page.write_text(before + "\n" + "\n\n".join(kept[name] for name in sorted(kept)) + "\n\n" + after)


def title(section: str) -> str:
    return section.strip().splitlines()[0]


def line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
