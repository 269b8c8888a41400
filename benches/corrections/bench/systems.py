"""Who corrects: our program, and the peers. All of them from a WAV file to a WAV file."""

import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from . import wav
from .align import delay_of, shift
from .row import Case

ROOT = Path(__file__).resolve().parents[3]
CACHE = ROOT / ".cache/bench-audio"
PROGRAM = Path(os.environ.get("RETAKE_BENCH_PROGRAM", ROOT / "target/release/retake")).absolute()


class Failed(Exception):
    """Something did not run: the bench ends, and says this."""


@dataclass(frozen=True)
class System:
    name: str
    #: Corrects `input.wav` of the folder and returns what came out, with as many frames or fewer.
    correct: Callable[[Case, Path], np.ndarray]

    def output(self, case: Case, folder: Path) -> np.ndarray:
        """What came of the case, cut or padded with silence to its length."""
        wav.write(folder / "input.wav", case.rate, case.degraded)
        return fitted(self.correct(case, folder), len(case.degraded))


def unprocessed() -> System:
    return System("unprocessed", lambda case, _: case.degraded)


def preset(preset: str, name: str | None = None) -> System:
    """A chain that has a name."""
    return of_chain(preset, name or preset)


def retake(*steps: dict, name: str = "retake") -> System:
    return of_chain(json.dumps({"steps": list(steps)}), name)


def of_chain(chain: str, name: str) -> System:
    """Our chain, as `retake correct` runs it. It is not aligned before it is judged: that the
    correction lies frame for frame on the recording is part of what it promises."""

    def correct(case: Case, folder: Path) -> np.ndarray:
        run(PROGRAM, "--data", CACHE / "data", "correct", "input.wav", "-o", "ours.wav",
            "--chain", chain, folder=folder)
        output = result(folder / "ours.wav", case)
        if len(output) != len(case.degraded):
            raise Failed(f"{case.name}: {len(case.degraded)} frames became {len(output)}")
        return output

    return System(name, correct)


#: A command's argument: text, or what makes it of the case (a frequency, a noise profile).
Argument = str | Callable[[Case], str]


def ffmpeg(filters: Argument, name: str | None = None) -> System:
    """An ffmpeg filter graph, its delay compensated."""

    def correct(case: Case, folder: Path) -> np.ndarray:
        graph = filters(case) if callable(filters) else filters
        run("ffmpeg", "-nostdin", "-v", "error", "-y", "-i", "input.wav", "-af", graph,
            "-ar", str(case.rate), "-c:a", "pcm_f32le", "peer.wav", folder=folder)
        return aligned(result(folder / "peer.wav", case), case)

    return System(name or f"ffmpeg {filters}", correct)


def rendered(rendition: str, name: str | None = None) -> System:
    """What `retake render` writes, as ffmpeg hears it. It is not aligned, and must be as long."""

    def correct(case: Case, folder: Path) -> np.ndarray:
        ending = rendition.split(":")[0]
        run(PROGRAM, "--data", CACHE / "data", "render", "input.wav", "-o", f"ours.{ending}",
            "--format", rendition, folder=folder)
        output = heard(folder, f"ours.{ending}", case)
        if len(output) != len(case.degraded):
            raise Failed(f"{case.name}: {len(case.degraded)} frames became {len(output)} as {rendition}")
        return output

    return System(name or f"retake {rendition}", correct)


def encoded(ending: str, *arguments: str, name: str) -> System:
    """The same by an encoder of ffmpeg's, its delay compensated."""

    def correct(case: Case, folder: Path) -> np.ndarray:
        run("ffmpeg", "-nostdin", "-v", "error", "-y", "-i", "input.wav", *arguments, f"peer.{ending}",
            folder=folder)
        return aligned(heard(folder, f"peer.{ending}", case), case)

    return System(name, correct)


def heard(folder: Path, name: str, case: Case) -> np.ndarray:
    run("ffmpeg", "-nostdin", "-v", "error", "-y", "-i", name, "-ar", str(case.rate),
        "-c:a", "pcm_f32le", "heard.wav", folder=folder)
    return result(folder / "heard.wav", case)


def sox(*effect: str, name: str | None = None, profile: Callable[[Case], np.ndarray] | None = None) -> System:
    """A sox effect. Where `profile` gives it a stretch of pure noise, a `{profile}` among the
    arguments becomes the file that `noiseprof` makes of it."""

    def correct(case: Case, folder: Path) -> np.ndarray:
        # Half of full scale in and out: sox works on integers and would clip what the others do not.
        if profile:
            wav.write(folder / "noise.wav", case.rate, profile(case))
            run("sox", "-v", "0.5", "noise.wav", "-n", "noiseprof", "noise.profile", folder=folder)
        arguments = [argument.format(profile="noise.profile") for argument in effect]
        run("sox", "-v", "0.5", "input.wav", "-b", "32", "-e", "float", "peer.wav", *arguments,
            folder=folder)
        return aligned(2 * result(folder / "peer.wav", case), case)

    return System(name or "sox " + " ".join(effect), correct)


def run(*command: object, folder: Path) -> str:
    """Runs a command in the folder and returns what it said; failing ends the bench."""
    # The program takes every RETAKE_ variable for a setting, and refuses those that are none.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RETAKE_BENCH_")}
    done = subprocess.run([str(part) for part in command], cwd=folder, env=environment,
                          capture_output=True, text=True)
    if done.returncode != 0:
        raise Failed(f"{' '.join(map(str, command))}: {done.stderr.strip()[-2000:]}")
    return done.stdout + done.stderr


def result(path: Path, case: Case) -> np.ndarray:
    rate, frames = wav.read(path)
    if rate != case.rate or frames.shape[1:] != case.degraded.shape[1:]:
        raise Failed(f"{case.name}: {path.name} has another rate or other channels than went in")
    return frames


def aligned(output: np.ndarray, case: Case) -> np.ndarray:
    return shift(output, -delay_of(output, case.clean))


def fitted(output: np.ndarray, frames: int) -> np.ndarray:
    padding = [(0, max(0, frames - len(output)))] + [(0, 0)] * (output.ndim - 1)
    return np.pad(output[:frames], padding)
