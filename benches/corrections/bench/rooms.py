"""Rooms by the image method (J. Allen, D. Berkley, JASA 65(4), 1979): boxes whose walls all reflect alike."""

from functools import cache

import numpy as np
from scipy.signal import butter, fftconvolve, sosfilt

from .noises import generator
from .voices import RATE

SOUND_M_PER_S = 343.0
#: Each reflection is a short low-pass of this many taps on either side, which puts it between two samples.
REACH = 8


@cache
def room(name: str, rt60_s: float, distance_m: float) -> np.ndarray:
    """What a pulse becomes on its way to a microphone; the direct sound comes first and has a height of about 1."""
    random = generator("room", name)
    size = random.uniform([4, 3.5, 2.5], [8, 6, 3.2])
    while True:
        microphone = random.uniform(0.7, size - 0.7)
        direction = random.standard_normal(3) * [1, 1, 0.2]
        mouth = microphone + direction * distance_m / np.linalg.norm(direction)
        if np.all(mouth > 0.5) and np.all(mouth < size - 0.5):
            break
    reach_m = SOUND_M_PER_S * rt60_s
    axes = []
    for length, at, to in zip(size, mouth, microphone):
        order = np.arange(-int(reach_m / (2 * length)) - 1, int(reach_m / (2 * length)) + 2)
        positions = np.concatenate([2 * order * length + at, 2 * order * length - at]) - to
        bounces = np.concatenate([2 * np.abs(order), np.abs(order) + np.abs(order - 1)])
        axes.append((positions, bounces))
    (x, bx), (y, by), (z, bz) = axes
    away = np.sqrt(x[:, None, None] ** 2 + y[None, :, None] ** 2 + z[None, None, :] ** 2).ravel()
    bounces = (bx[:, None, None] + by[None, :, None] + bz[None, None, :]).ravel()
    near = away < reach_m
    away, bounces = away[near], bounces[near]
    times = (away - distance_m) / SOUND_M_PER_S * RATE + REACH
    whole = np.floor(times).astype(int)
    heights = distance_m / away * reflection_for(rt60_s, whole, distance_m / away, bounces) ** bounces

    length = whole.max() + 2 * REACH
    pulse = np.zeros(length)
    for tap in range(-REACH + 1, REACH + 1):
        apart = times - whole - tap
        sound = heights * np.sinc(apart) * (0.5 + 0.5 * np.cos(np.pi * apart / REACH))
        pulse += np.bincount(whole + tap, sound, length)
    # Sound below the lowest voice would pile up in such a box, as in no room (Allen and Berkley's own cure).
    return sosfilt(butter(2, 100, "highpass", fs=RATE, output="sos"), pulse)[REACH:]


def reflection_for(rt60_s, times, heights, bounces) -> float:
    """How much of the sound a wall gives back. Eyring's formula is for sound that comes from everywhere alike,
    and would make a box sound on half as long again."""
    low, high = 0.0, 1.0
    for _ in range(14):
        middle = (low + high) / 2
        energy = np.bincount(times, (heights * middle**bounces) ** 2)
        low, high = (middle, high) if rt60(np.sqrt(energy)) < rt60_s else (low, middle)
    return middle


def rt60(pulse: np.ndarray) -> float:
    """Seconds of a decay by 60 dB, by that from -5 to -25 dB of the energy still to come (M. Schroeder, 1965)."""
    to_come = np.cumsum(pulse[::-1] ** 2)[::-1]
    level = 10 * np.log10(to_come / to_come[0] + 1e-12)
    return (np.argmax(level < -25) - np.argmax(level < -5)) / RATE * 3


def heard(signal: np.ndarray, name: str, rt60_s: float, distance_m: float) -> np.ndarray:
    return fftconvolve(signal, room(name, rt60_s, distance_m))[: len(signal)]
