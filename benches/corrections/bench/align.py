"""Takes a peer's delay out before it is judged. Ours is judged as it came."""

import numpy as np
from scipy.signal import correlate

#: Longest delay looked for, in frames: 0.1 s at 48 kHz.
DELAY_MAX = 4800


def delay_of(output: np.ndarray, clean: np.ndarray) -> int:
    """Frames by which the output lags: where its correlation with the clean signal peaks.

    Differences from frame to frame are compared, because low frequencies correlate nearly as well
    a little off the right place.
    """
    output, clean = (np.diff(first_channel(signal)) for signal in (output, clean))
    correlation = correlate(output, clean, mode="full", method="fft")
    no_delay = len(clean) - 1
    reach = min(DELAY_MAX, no_delay, len(output) - 1)
    return int(np.argmax(correlation[no_delay - reach : no_delay + reach + 1])) - reach


def shift(signal: np.ndarray, frames: int) -> np.ndarray:
    """Later by that many frames, or earlier where negative; silence moves in."""
    moved = np.zeros_like(signal)
    if frames >= 0:
        moved[frames:] = signal[: len(signal) - frames]
    else:
        moved[:frames] = signal[-frames:]
    return moved


def first_channel(signal: np.ndarray) -> np.ndarray:
    return signal if signal.ndim == 1 else signal[:, 0]
