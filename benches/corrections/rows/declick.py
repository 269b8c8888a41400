"""A voice under clicks and crackle."""

import numpy as np

from bench import PESQ, SNR, Case, Row, click_residue, ffmpeg, retake
from bench.noises import generator, mixed, pink
from bench.voices import RATE, voices


def cases():
    for voice, clean in voices().items():
        room = mixed(clean, pink(len(clean), voice), 40)
        for per_second in (2, 20, 100):
            clicks, places = crackle(len(clean), voice, per_second)
            yield Case(f"{voice} {per_second}/s", f"{per_second} a second", RATE, room, room + np.sqrt(np.mean(clean**2)) * clicks,
                       {"clicks": places})


def crackle(frames: int, name: str, per_second: float) -> tuple[np.ndarray, list[tuple[int, int]]]:
    """Of each of three kinds a third: single frames, bursts of 0.1 to 1 ms, and damped tones like those
    of a mouth. Two to sixteen times as high as the voice's mean level, mostly at the lower end."""
    random = generator("crackle", name, per_second)
    clicks, places = np.zeros(frames), []
    for start in np.sort(random.integers(0, frames - RATE // 100, int(per_second * frames / RATE))):
        height = random.choice((-1, 1)) * (2 + 14 * random.uniform() ** 2)
        kind = random.integers(3)
        if kind == 0:
            click = np.array([1.0])
        elif kind == 1:
            length = int(RATE * random.uniform(1e-4, 1e-3))
            click = 0.5 * random.standard_normal(length) * np.exp(-3 * np.arange(length) / length)
        else:
            decay_s = random.uniform(1e-4, 4e-4)
            time = np.arange(int(4 * decay_s * RATE)) / RATE
            click = 0.7 * np.exp(-time / decay_s) * np.sin(2 * np.pi * random.uniform(1500, 5000) * time + 0.5)
        clicks[start : start + len(click)] += height * click
        places.append((int(start), len(click)))
    return clicks, places


ROW = Row(
    title="declick",
    says="Voices with 2, 20 and 100 clicks a second: single frames, bursts of up to 1 ms, and damped tones.",
    cases=cases,
    ours=retake({"plugin": "declick"}),
    peers=[ffmpeg("adeclick"), ffmpeg("adeclick=t=4", name="ffmpeg adeclick, threshold 4")],
    metrics=[SNR, click_residue(), PESQ],
)
