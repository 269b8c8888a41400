"""Files that ffmpeg writes: containers, codecs, channels and rates, and what happens to files."""

import os
import subprocess
from dataclasses import dataclass

import numpy as np

SECONDS = 3


@dataclass
class Made:
    name: str
    path: str
    lossless: bool
    # What was done to the file afterwards.
    kind: str = "whole"
    # The file that this one holds twice.
    twice: str | None = None


# Name of the codec here, ffmpeg's arguments, whether it is lossless, rates, channels.
USUAL = (8000, 16000, 22050, 44100, 48000)
PCM = {
    "u8": "pcm_u8", "s8": "pcm_s8", "s16le": "pcm_s16le", "s16be": "pcm_s16be", "s24le": "pcm_s24le",
    "s24be": "pcm_s24be", "s32le": "pcm_s32le", "s32be": "pcm_s32be", "f32le": "pcm_f32le",
    "f32be": "pcm_f32be", "f64le": "pcm_f64le", "f64be": "pcm_f64be",
}
CODECS = {name: (["-c:a", encoder], True, (44100,), (1, 2, 6)) for name, encoder in PCM.items()} | {
    "alaw": (["-c:a", "pcm_alaw"], True, (8000, 44100), (1, 2)),
    "mulaw": (["-c:a", "pcm_mulaw"], True, (8000, 44100), (1, 2)),
    # ffmpeg rounds where it multiplies and the specification adds up, so they drift apart within a block.
    "ima": (["-c:a", "adpcm_ima_wav"], False, (22050, 44100), (1, 2)),
    "ima4": (["-c:a", "adpcm_ima_qt"], True, (22050, 44100), (1, 2)),
    "ms": (["-c:a", "adpcm_ms"], True, (22050, 44100), (1, 2)),
    "gsm": (["-c:a", "libgsm_ms"], True, (8000,), (1,)),
    "g722": (["-c:a", "g722"], True, (16000,), (1,)),
    "flac": (["-c:a", "flac"], True, (16000, 44100, 96000), (1, 2, 6)),
    "alac": (["-c:a", "alac"], True, (44100, 48000), (1, 2, 6)),
    "wavpack": (["-c:a", "wavpack"], True, (44100,), (1, 2, 6)),
    "mp3": (["-c:a", "libmp3lame", "-b:a", "96k"], False, USUAL, (1, 2)),
    "mp3vbr": (["-c:a", "libmp3lame", "-q:a", "4"], False, (44100,), (1, 2)),
    "mp2": (["-c:a", "mp2", "-b:a", "128k"], False, (22050, 48000), (1, 2)),
    "aac": (["-c:a", "aac"], False, USUAL, (1, 2, 6)),
    "opus": (["-c:a", "libopus"], False, (48000,), (1, 2, 6)),
    "vorbis": (["-c:a", "libvorbis"], False, (22050, 44100, 48000), (1, 2, 6)),
    "ac3": (["-c:a", "ac3"], False, (32000, 44100, 48000), (1, 2, 6)),
    "eac3": (["-c:a", "eac3"], False, (48000,), (1, 2, 6)),
}
LITTLE = ["u8", "s16le", "s24le", "s32le", "f32le", "f64le"]
BIG = ["s16be", "s24be", "s32be", "f32be", "f64be"]
# Extension, muxer's arguments, codecs.
CONTAINERS = {
    "wav": ("wav", [], LITTLE + ["alaw", "mulaw", "ima", "ms", "gsm", "g722", "mp3", "ac3", "eac3", "flac"]),
    "rf64": ("wav", ["-rf64", "always"], ["s16le", "f32le"]),
    "w64": ("w64", [], ["s16le", "s24le", "f32le", "mulaw"]),
    "aiff": ("aiff", [], ["s8", "s16be", "s24be", "s32be", "f32be", "f64be", "alaw", "ima4", "s16le"]),
    "caf": ("caf", [], ["s16le", "s24be", "f32le", "alaw", "ima4", "alac", "opus"]),
    "au": ("au", [], ["s8", "s16be", "s24be", "f32be", "f64be", "mulaw"]),
    "mov": ("mov", [], LITTLE + BIG + ["alaw", "mulaw", "ima4", "alac", "aac", "mp3", "ac3"]),
    "m4a": ("m4a", [], ["aac", "alac", "ac3"]),
    "mp4": ("mp4", [], ["aac", "alac", "flac", "opus", "mp3", "ac3", "eac3"]),
    "fragmented": ("mp4", ["-movflags", "frag_keyframe+empty_moov", "-frag_duration", "500000"], ["aac", "flac", "opus"]),
    "mkv": ("mkv", [], LITTLE + ["s16be", "s24be", "flac", "alac", "aac", "opus", "vorbis", "mp3", "mp2", "ac3", "eac3", "wavpack"]),
    "webm": ("webm", [], ["opus", "vorbis"]),
    "ogg": ("ogg", [], ["opus", "vorbis", "flac"]),
    "plain-flac": ("flac", [], ["flac"]),
    "plain-mp3": ("mp3", [], ["mp3", "mp3vbr"]),
    "untagged-mp3": ("mp3", ["-write_xing", "0"], ["mp3"]),
    "plain-mp2": ("mp2", [], ["mp2"]),
    "adts": ("aac", ["-f", "adts"], ["aac"]),
    "plain-ac3": ("ac3", [], ["ac3"]),
    "plain-eac3": ("eac3", [], ["eac3"]),
    "wv": ("wv", [], ["wavpack"]),
    "avi": ("avi", [], ["s16le", "mp3", "ac3", "aac", "mulaw"]),
    "flv": ("flv", [], ["mp3", "aac"]),
    "ts": ("ts", [], ["aac", "mp2", "mp3", "ac3", "eac3", "opus"]),
    "latm": ("ts", ["-mpegts_flags", "latm"], ["aac"]),
}
# FLV's MP3 has three rates.
RATES = {("flv", "mp3"): (22050, 44100), ("ts", "mp3"): (44100, 48000), ("avi", "aac"): (44100, 48000)}
JOINED = ["wav-s16le", "plain-mp3-mp3", "adts-aac", "ogg-opus", "ogg-vorbis", "plain-flac-flac", "webm-opus",
          "plain-ac3-ac3", "ts-aac", "ts-opus", "latm-aac", "wav-flac"]
CUT = ["wav-s16le", "aiff-s16be", "plain-mp3-mp3", "adts-aac", "ogg-opus", "plain-flac-flac", "webm-opus",
       "mkv-aac", "fragmented-aac", "ts-aac", "avi-s16le", "flv-aac", "wv-wavpack", "plain-ac3-ac3", "ts-opus", "latm-aac", "wav-flac"]
GAPS = ["mkv-s16le", "mkv-flac", "mkv-opus", "mkv-aac", "webm-opus", "mp4-aac", "mp4-opus", "mov-aac",
        "fragmented-aac", "flv-aac", "ts-aac", "mp4-flac", "mkv-mp3", "mp4-alac"]


def signal(rate, channels):
    """Noise whose every moment differs from every other, so that a shift of one frame shows, and a voice's levels."""
    random = np.random.default_rng(rate + channels)
    t = np.arange(SECONDS * rate) / rate
    noise = random.standard_normal((channels, len(t)))
    noise = np.cumsum(noise, axis=1)
    noise -= np.apply_along_axis(lambda x: np.convolve(x, np.ones(64) / 64, "same"), 1, noise)
    tones = [np.sin(2 * np.pi * ((200 + 60 * c) * t + 150 * t * t)) for c in range(channels)]
    shape = 0.6 + 0.4 * np.sin(2 * np.pi * 3 * t)
    mixed = 0.25 * np.array(tones) * shape + 0.05 * noise / np.abs(noise).max()
    return mixed.T.astype("<f4")


def ffmpeg(*arguments):
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", *map(str, arguments)], check=True, capture_output=True)


class Corpus:
    def __init__(self, folder):
        self.folder = folder
        self.sources = {}

    def source(self, rate, channels):
        key = (rate, channels)
        if key not in self.sources:
            raw = os.path.join(self.folder, f"source-{rate}-{channels}.f32")
            signal(rate, channels).tofile(raw)
            self.sources[key] = ["-f", "f32le", "-ar", rate, "-ac", channels, "-i", raw]
        return self.sources[key]

    def plan(self):
        for container, (extension, muxer, codecs) in CONTAINERS.items():
            for codec in codecs:
                encoder, lossless, rates, channels = CODECS[codec]
                for rate in RATES.get((container, codec), rates):
                    for count in channels:
                        yield container, codec, extension, [*encoder, *muxer], lossless, rate, count

    def files(self, wanted=""):
        """All that this ffmpeg can write."""
        for container, codec, extension, arguments, lossless, rate, count in self.plan():
            base = f"{container}-{codec}"
            name = f"{base}-{rate}-{count}"
            kinds = ("joined", "cut", "gap")
            if wanted not in name and wanted not in kinds:
                continue
            is_varied = rate in (44100, 48000) and count == 2
            if wanted in kinds and not is_varied:
                continue
            made = self.whole(name, extension, arguments, lossless, rate, count)
            if made is None:
                continue
            if wanted not in kinds:
                yield made
            if is_varied:
                if base in JOINED and wanted not in ("cut", "gap"):
                    yield self.joined(made)
                if base in CUT and wanted not in ("joined", "gap"):
                    yield self.cut(made)
                if base in GAPS and wanted not in ("joined", "cut"):
                    yield self.gap(made, extension, arguments, rate, count)

    def whole(self, name, extension, arguments, lossless, rate, count):
        path = os.path.join(self.folder, f"{name}.{extension}")
        try:
            ffmpeg(*self.source(rate, count), *arguments, path)
        except subprocess.CalledProcessError:
            # A combination that this muxer or encoder does not have.
            return None
        return Made(name, path, lossless)

    def joined(self, made):
        path = self.beside(made, "joined")
        with open(made.path, "rb") as file:
            content = file.read()
        with open(path, "wb") as file:
            file.write(content * 2)
        return Made(f"{made.name} joined", path, made.lossless, "joined", made.path)

    def cut(self, made):
        path = self.beside(made, "cut")
        with open(made.path, "rb") as file:
            content = file.read()
        with open(path, "wb") as file:
            file.write(content[: len(content) * 6 // 10])
        return Made(f"{made.name} cut", path, made.lossless, "cut")

    def gap(self, made, extension, arguments, rate, count):
        """A second is not sent, and the clock goes on."""
        path = self.beside(made, "gap")
        ffmpeg(*self.source(rate, count), "-af", "aselect='not(between(t,1,2))'", *arguments, path)
        return Made(f"{made.name} gap", path, made.lossless, "gap")

    def beside(self, made, kind):
        folder, name = os.path.split(made.path)
        return os.path.join(folder, f"{kind}-{name}")
