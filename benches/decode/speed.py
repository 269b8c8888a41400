"""Decoding and encoding alone: CPU as a ratio to ffmpeg's for the same files, in interleaved runs."""

import os
import re
import statistics
import subprocess
import tempfile

CONVERT = os.environ["RETAKE_BENCH_CONVERT"]
MINUTES = int(os.environ.get("RETAKE_BENCH_MINUTES", "10"))
RUNS = int(os.environ.get("RETAKE_BENCH_RUNS", "3"))
SPEECH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tests/fixtures/recordings/chromium-recording.webm")
# What goes in, what comes out. MP3 is read and not written by the converter.
PAIRS = [("wav", "wav"), ("flac", "flac"), ("mp3", "wav"), ("opus", "opus"), ("wav", "flac"), ("wav", "opus")]
ENCODERS = {
    "wav": ["-c:a", "pcm_s16le"],
    "flac": ["-c:a", "flac", "-sample_fmt", "s16"],
    "mp3": ["-c:a", "libmp3lame", "-b:a", "128k"],
    "opus": ["-c:a", "libopus", "-b:a", "96k"],
}


def cpu(command):
    """Seconds of all its threads, and what it printed."""
    with tempfile.TemporaryFile("w+") as printed:
        child = subprocess.Popen(list(map(str, command)), stdout=printed, stderr=subprocess.PIPE)
        said = child.stderr.read().decode(errors="replace")
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            raise RuntimeError(f"{command[0]}: {said}")
        printed.seek(0)
        return usage.ru_utime + usage.ru_stime, printed.read()


def ffmpeg(*arguments):
    return ["ffmpeg", "-nostdin", "-v", "error", "-y", *arguments]


def make(folder):
    """Speech over pink noise, 48 kHz stereo."""
    noise = [["-f", "lavfi", "-i", f"anoisesrc=color=pink:amplitude=0.02:sample_rate=48000:seed={seed}"] for seed in (1, 2)]
    mix = ("[0]aresample=48000,pan=stereo|c0=c0|c1=0.9*c0[s];[1][2]amerge=inputs=2[n];"
           "[s][n]amix=inputs=2:duration=first:normalize=0")
    wav = os.path.join(folder, "in.wav")
    cpu(ffmpeg("-stream_loop", -1, "-i", SPEECH, *noise[0], *noise[1], "-filter_complex", mix, "-t", MINUTES * 60,
               *ENCODERS["wav"], wav))
    for format in ("flac", "mp3", "opus"):
        cpu(ffmpeg("-i", wav, *ENCODERS[format], os.path.join(folder, f"in.{format}")))


def main():
    lines = ["| from, to | retake | of it measuring | ffmpeg | **ratio without measuring** | ratio with |", "|---|---|---|---|---|---|"]
    with tempfile.TemporaryDirectory(prefix="retake-speed-") as folder:
        make(folder)
        for source, target in PAIRS:
            into, out = os.path.join(folder, f"in.{source}"), os.path.join(folder, f"out.{target}")
            ours, measuring, theirs = [], [], []
            for _ in range(RUNS):
                seconds, printed = cpu([CONVERT, into, out])
                ours.append(seconds)
                measuring.append(sum(map(float, re.findall(r"([\d.]+) of it measuring", printed))))
                theirs.append(cpu(ffmpeg("-i", into, *ENCODERS[target], out))[0])
            whole, meters, peer = map(statistics.median, (ours, measuring, theirs))
            lines.append(f"| {source}, {target} | {whole:.2f} s | {meters:.2f} s | {peer:.2f} s "
                         f"| **{(whole - meters) / peer:.2f}** | {whole / peer:.2f} |")
    print("\n".join(lines))


main()
