"""Does each correction correct, and better than what people use otherwise?

    benches/run corrections [row...] [--write-docs] [--every N]

Rows are the files in rows/; see README.md. Exits with 0 whoever wins: a table is a finding, not a
claim. With anything else only if something did not run.
"""

import argparse
import importlib
import sys
from pathlib import Path

from bench import table
from bench.judge import judge
from bench.systems import PROGRAM, ROOT, Failed, run

ROWS = Path(__file__).parent / "rows"


def main() -> None:
    names = sorted(path.stem for path in ROWS.glob("[a-z]*.py"))
    parser = argparse.ArgumentParser(prog="benches/run corrections", description=__doc__.split("\n")[0])
    parser.add_argument("rows", nargs="*", help=f"all of them when none is named: {', '.join(names)}")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="one of N signals: a quick look")
    parser.add_argument("--write-docs", action="store_true", help="puts the tables into docs/benchmarks.md")
    arguments = parser.parse_args()
    wanted = [name.replace("-", "_") for name in arguments.rows] or names
    for name in wanted:
        if name not in names:
            parser.error(f'there is no row "{name}"; there are: {", ".join(names)}')
    if not PROGRAM.exists():
        parser.error(f"{PROGRAM} is not there; build it, or name another with RETAKE_BENCH_PROGRAM")

    print(f"\ncorrections: {version(PROGRAM, '--version')}, {version('ffmpeg', '-version')}, {version('sox', '--version')}")
    sections = []
    for name in wanted:
        section = table.markdown(judge(importlib.import_module(f"rows.{name}").ROW, arguments.every))
        print("\n" + table.terminal(section), flush=True)
        sections.append(section)
    if arguments.write_docs:
        table.write(sections, ROOT / "docs/benchmarks.md")


def version(*command: object) -> str:
    said = run(*command, folder=ROOT).splitlines()[0]
    return said.partition("Copyright")[0].removeprefix("sox:").strip()


if __name__ == "__main__":
    try:
        main()
    except Failed as failed:
        sys.exit(f"corrections: {failed}")
