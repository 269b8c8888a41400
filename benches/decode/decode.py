"""Our decoder against ffmpeg's: frames, alignment, and how far the samples are apart.

    benches/run decode [name]      all files whose name holds this

Prints a line per file that differs, a table per container, and exits with 1 where a file differs and no
finding says why: see explained.py.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from corpus import Corpus
from explained import Explained, refusals

CONVERT = os.environ["RETAKE_BENCH_CONVERT"]
FRAMES_APART_MAX = 1
# Beside ffmpeg's decoder, not beside what was encoded: nothing but rounding is between them, save where
# decoders are free (AC-3's dither and downmix, MP3's and Opus' rounding).
SNR_DB_MIN = {True: 85.0, False: 30.0}


def ours(path, scratch):
    """Samples, their rate, and the findings; or why not."""
    run = subprocess.run([CONVERT, path, scratch, "32"], capture_output=True, text=True, timeout=300)
    if run.returncode:
        return None, 0, [], (run.stderr.strip().splitlines() or ["no answer"])[-1]
    said = re.findall(r"^([a-z][a-z-]+): .*? (\{.*\})$", run.stdout, re.M)
    findings = [(code, json.loads(params)) for code, params in said]
    samples, rate = float_wav(scratch)
    os.unlink(scratch)
    return samples, rate, findings, None


def float_wav(path):
    with open(path, "rb") as file:
        content = file.read()
    at, channels, rate = 12, None, None
    while at + 8 <= len(content):
        name, size = content[at : at + 4], int.from_bytes(content[at + 4 : at + 8], "little")
        if name == b"fmt ":
            channels = int.from_bytes(content[at + 10 : at + 12], "little")
            rate = int.from_bytes(content[at + 12 : at + 16], "little")
        if name == b"data":
            samples = np.frombuffer(content[at + 8 : at + 8 + size], "<f4")
            return samples.reshape(-1, channels), rate
        at += 8 + size + size % 2
    raise ValueError(f"{path} has no samples")


def theirs(path):
    probe = ["ffprobe", "-v", "error", "-select_streams", "a:0", "-show_entries", "stream=channels", "-of", "json", path]
    streams = json.loads(subprocess.run(probe, capture_output=True, text=True).stdout or "{}").get("streams")
    if not streams:
        return None
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", path, "-map", "0:a:0", "-af", "aresample=async=1", "-f", "f32le", "-"]
    raw = subprocess.run(command, capture_output=True).stdout
    channels = streams[0]["channels"]
    return np.frombuffer(raw[: len(raw) // (4 * channels) * 4 * channels], "<f4").reshape(-1, channels)


def lag(a, b):
    """How many frames later b is than a."""
    size = 1 << (len(a) + len(b) - 1).bit_length()
    product = np.fft.irfft(np.conj(np.fft.rfft(a, size)) * np.fft.rfft(b, size), size)
    best = int(np.argmax(product))
    return best - size if best > size // 2 else best


def reference(made):
    """ffmpeg's reading. Of joined files it reads the first, or loses its way between them."""
    once = theirs(made.twice or made.path)
    return once if once is None or made.twice is None else np.concatenate([once, once])


def compare(made, scratch):
    expected = reference(made)
    got, rate, findings, error = ours(made.path, scratch)
    row = {"made": made, "codes": [code for code, _ in findings], "error": error, "differs": [], "unsaid": []}
    if error is not None or expected is None or not len(expected):
        row["unread"] = True
        if error is not None and expected is not None and len(expected):
            row["differs"] = ["not read"]
            row["unsaid"] = [] if error in refusals() else ["not read"]
        return row
    apart = len(got) - len(expected)
    row["frames"] = apart
    explained = Explained(findings, rate, len(got))

    def differs(what, is_said):
        row["differs"].append(what)
        if not is_said:
            row["unsaid"].append(what)

    if abs(apart) > FRAMES_APART_MAX:
        differs(f"{apart:+d} frames", explained.has(apart))
    if got.shape[1] != expected.shape[1]:
        differs(f"{got.shape[1]} channels and not {expected.shape[1]}", explained.is_changed)
        return row
    length = min(len(got), len(expected))
    # The second half shows a shift by a gap, the first one by a delay.
    half = length // 2
    for start in (0, half):
        a, b = expected[start : start + half, 0], got[start : start + half, 0]
        shift = lag(a, b)
        if shift:
            differs(f"{shift:+d} frames late from {start}", explained.has_shift(shift))
    difference = (expected[:length] - got[:length]).astype(float)
    signal_power = (expected[:length].astype(float) ** 2).mean()
    power = (difference**2).mean()
    row["snr_db"] = 200.0 if power == 0 else 10 * np.log10(signal_power / power)
    if row["snr_db"] < SNR_DB_MIN[made.lossless]:
        differs(f"{row['snr_db']:.0f} dB apart", explained.is_other_sound)
    return row


def main():
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    with tempfile.TemporaryDirectory(prefix="retake-decode-") as folder:
        corpus = Corpus(folder)
        # Made one after the other, compared on all cores.
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            files = enumerate(corpus.files(wanted))
            rows = list(pool.map(lambda one: compare(one[1], os.path.join(folder, f"{one[0]}.ours.wav")), files))
    unsaid = [row for row in rows if row["unsaid"]]
    for row in rows:
        if row["differs"]:
            why = ", ".join(row["codes"]) or row["error"] or "no finding"
            unexplained = f"; UNSAID: {'; '.join(row['unsaid'])}" if row["unsaid"] else ""
            print(f"{row['made'].name}: {'; '.join(row['differs'])} ({why}){unexplained}")
    print(table(rows))
    print(f"{len(rows)} files; {len(unsaid)} differ and no finding says why")
    return 1 if unsaid else 0


def table(rows):
    groups = defaultdict(list)
    for row in rows:
        made = row["made"]
        groups[made.kind if made.kind != "whole" else made.name.rsplit("-", 3)[0]].append(row)
    lines = ["| files | read | frames as ffmpeg's | differ, said | differ, unsaid | least SNR, dB |", "|---|---|---|---|---|---|"]
    for name, group in groups.items():
        read = [row for row in group if not row.get("unread")]
        same = sum(abs(row["frames"]) <= FRAMES_APART_MAX for row in read)
        said = sum(bool(row["differs"]) and not row["unsaid"] for row in group)
        unsaid = sum(bool(row["unsaid"]) for row in group)
        clean = [row["snr_db"] for row in read if "snr_db" in row and not row["differs"]]
        least = f"{min(clean):.0f}" if clean else "-"
        lines.append(f"| {name} | {len(read)} of {len(group)} | {same} | {said} | {unsaid} | {least} |")
    return "\n".join(lines)


sys.exit(main())
