"""Sixty recordings of eight kinds that nothing was tuned with: other voices, pieces and noises than those in
voices.py and noises.py. Made the same way every time; the packages are unpacked as there.
"""

from collections.abc import Iterator
from functools import cache

import numpy as np
from scipy.signal import butter, fftconvolve, lfilter, resample_poly, sosfiltfilt

from .noises import colored, generator, hum, mixed, unit
from .row import Case
from .voices import RATE, decoded, leveled, unpacked

SECONDS = 12
#: A game's fishes talk Dutch, a telephone system Spanish, and a toy names things.
VOICES = [
    ("fish", "fillets-ng-data-nl", "**/sound/*/nl/*-v-*.ogg", 5),
    ("big-fish", "fillets-ng-data-nl", "**/sound/*/nl/*-m-*.ogg", 5),
    ("fish-2", "fillets-ng-data-nl", "**/sound/*/nl/*-v-*.ogg", 200),
    ("big-fish-2", "fillets-ng-data-nl", "**/sound/*/nl/*-m-*.ogg", 200),
    ("allison-es", "asterisk-core-sounds-es-g722", "**/*.g722", 60),
    ("toy-el", "ktuberling-data", "**/sounds/el/*.ogg", 0),
    ("toy-da", "ktuberling-data", "**/sounds/da/*.ogg", 40),
    ("toy-ca", "ktuberling-data", "**/sounds/ca/*.ogg", 60),
]
#: 8 kHz, the rate of a telephone.
CALLERS = [
    ("menardi", "asterisk-prompt-it-menardi-wav", "**/sounds/it_IT_f_Menardi/vm-*.wav", 0),
    ("menardi-2", "asterisk-prompt-it-menardi-wav", "**/sounds/it_IT_f_Menardi/conf-*.wav", 0),
    ("fish", "fillets-ng-data-nl", "**/sound/*/nl/*-v-*.ogg", 300),
    ("big-fish", "fillets-ng-data-nl", "**/sound/*/nl/*-m-*.ogg", 300),
    ("allison-es", "asterisk-core-sounds-es-g722", "**/*.g722", 200),
    ("toy-el", "ktuberling-data", "**/sounds/el/*.ogg", 30),
]
PIECES = [
    ("pirates", "drascula-music", "**/track13.ogg", 20),
    ("castle", "drascula-music", "**/track4.ogg", 2),
    ("blupi", "planetblupi-music-ogg", "**/music003.ogg", 60),
    ("blupi-2", "planetblupi-music-ogg", "**/music007.ogg", 30),
    ("colobot", "colobot-common-sounds", "**/Constructive.ogg", 30),
    ("japan", "pushover-data", "**/japanese.ogg", 10),
    ("town", "freedroidrpg-data", "**/music/town.ogg", 20),
    ("menu", "freedroidrpg-data", "**/music/menu.ogg", 10),
]
#: What people speak behind the one that is meant.
BABBLERS = ("de", "en", "gl", "lt", "ru", "sl", "uk", "wa")


def cases() -> Iterator[Case]:
    voices = {name: voice(name, *where, SECONDS) for name, *where in VOICES}
    names = list(voices)
    for name, clean in voices.items():
        yield case("clean", name, over_room_tone(clean, name))
    for place, snr_db in enumerate((0, 5, 10, 15, 20, 30) * 2):
        name, noise = names[place % 8], NOISES[place % 6 if place < 6 else (place + 3) % 6]
        clean = voices[name]
        noise_name = f"{name} {noise.__name__}"
        degraded = mixed(clean, noise(len(clean), noise_name), snr_db)
        yield case("noisy", f"{noise_name} {snr_db} dB", clean, degraded)
    for name, *where in PIECES:
        yield case("music", name, piece(*where, 20))
    for place, (name, *where) in enumerate(PIECES):
        yield talk_and_music(names[place], voices[names[place]], name, piece(*where, (5, 8, 12, 16)[place % 4]))
    for place, (name, *where) in enumerate(CALLERS):
        yield telephone(name, voice(name, *where, SECONDS), noise_db=(-30, -24, -45)[place % 3])
    for place, rt60_s in enumerate((0.3, 0.4, 0.5, 0.6, 0.8, 1.0)):
        name = names[place]
        clean = voices[name]
        degraded = over_room_tone(in_room(clean, rt60_s, direct_db=(3, 0)[place % 2], name=name), name)
        yield case("room", f"{name} {rt60_s} s", clean, degraded)
    for place, over_db in enumerate((6, 9, 12, 6, 9, 12)):
        name = names[place + 2]
        clean = over_room_tone(voices[name], name) / np.abs(voices[name]).max()
        loud = np.clip(clean * 10 ** (over_db / 20), -1, 1)
        yield case("clipped", f"{name} {over_db} dB", clean, 0.9 * loud)
    for place, snr_db in enumerate((10, 20, 30, 10, 20, 30)):
        name, mains_hz = names[7 - place], (50, 60)[place % 2]
        clean = over_room_tone(voices[name], name)
        yield case("hum", f"{name} {mains_hz} Hz {snr_db} dB", clean,
                   mixed(clean, hum(len(clean), f"held out {name}", mains_hz * (1 + 0.0004 * place)), snr_db))


def case(kind: str, name: str, clean: np.ndarray, degraded: np.ndarray | None = None, rate: int = RATE,
         **facts: object) -> Case:
    degraded = clean if degraded is None else degraded
    # As an unhurried recorder would have it, not clipped by us.
    scale = min(1.0, 0.95 / np.abs(degraded).max())
    return Case(f"{kind}: {name}", kind, rate, clean * scale, degraded * scale, facts)


def talk_and_music(name: str, clean: np.ndarray, title: str, music: np.ndarray) -> Case:
    fade = np.minimum(1, np.arange(len(music)) / (0.2 * RATE))
    music = music * fade * fade[::-1]
    noise = fan(len(clean), f"talk {name}")
    talk = mixed(clean, noise, 20)
    reference = np.concatenate([clean, music, clean[: 8 * RATE]])
    whole = np.concatenate([talk, music, talk[: 8 * RATE]])
    return case("mixed", f"{name}, {title} {len(music) // RATE} s", reference, whole,
                music=(len(clean), len(clean) + len(music)))


def telephone(name: str, clean: np.ndarray, noise_db: float) -> Case:
    """The band of a telephone, mu-law, and the noise of a line."""
    narrow = resample_poly(clean, 1, 6)
    narrow = lfilter(*butter(2, 300, "highpass", fs=8_000), narrow)
    noise = unit(generator("line", name).standard_normal(len(narrow)))
    noisy = mixed(narrow, noise, -noise_db)
    noisy = noisy * min(1.0, 0.95 / np.abs(noisy).max())
    coded = np.round(127 * np.sign(noisy) * np.log1p(255 * np.abs(noisy)) / np.log(256)) / 127
    coded = np.sign(coded) * (256 ** np.abs(coded) - 1) / 255
    return case("phone", f"{name} {-noise_db} dB", narrow, coded, rate=8_000)


def in_room(clean: np.ndarray, rt60_s: float, direct_db: float, name: str) -> np.ndarray:
    """A dozen early reflections, and a tail that dies away sooner the higher it is."""
    random = generator("room", name, rt60_s)
    frames = int(1.2 * rt60_s * RATE)
    time = np.arange(frames) / RATE
    tail = sum(
        band * 10 ** (-3 * time / (rt60_s * part))
        for band, part in zip(bands(random.standard_normal(frames)), (1.1, 1.0, 0.7))
    )
    tail[: int(0.02 * RATE)] = 0
    for delay_s in random.uniform(0.003, 0.05, 12):
        tail[int(delay_s * RATE)] += random.choice((-1, 1)) * 8 * 10 ** (-3 * delay_s / rt60_s)
    tail /= np.sqrt(np.sum(tail**2)) * 10 ** (direct_db / 20)
    tail[0] = 1.0
    return fftconvolve(clean, tail)[: len(clean)]


def bands(noise: np.ndarray) -> list[np.ndarray]:
    """Below 1 kHz, below 4 kHz, above."""
    spectrum = np.fft.rfft(noise)
    hz = np.fft.rfftfreq(len(noise), 1 / RATE)
    parts = (hz < 1_000, (hz >= 1_000) & (hz < 4_000), hz >= 4_000)
    return [np.fft.irfft(spectrum * part, len(noise)) for part in parts]


def over_room_tone(clean: np.ndarray, name: str) -> np.ndarray:
    """No recording is silent: 60 dB below the voice."""
    return mixed(clean, colored(len(clean), f"tone {name}", -0.4), 60)


def fan(frames: int, name: str) -> np.ndarray:
    """Broadband, with the blades' tone and its second harmonic."""
    time = np.arange(frames) / RATE
    random = generator("fan", name)
    hz = random.uniform(110, 190)
    tones = sum(np.sin(2 * np.pi * hz * n * time + random.uniform(0, 6)) / n for n in (1, 2))
    return unit(colored(frames, f"fan {name}", -0.35) + 0.2 * tones)


def traffic(frames: int, name: str) -> np.ndarray:
    """Cars that pass: brown noise that swells every few seconds."""
    random = generator("traffic", name)
    time = np.arange(frames) / RATE
    swell = 0.15 + sum(np.exp(-(((time - random.uniform(0, time[-1])) / 1.2) ** 2)) for _ in range(5))
    return unit(swell * colored(frames, f"traffic {name}", -0.8))


def helicopter(frames: int, name: str) -> np.ndarray:
    files = sorted(unpacked("searchandrescue-data").glob("**/helicopter_engine_outside2.wav"))
    return unit(np.resize(decoded(files[:1], 0, 60), frames))


def rain(frames: int, name: str) -> np.ndarray:
    """A bright hiss with drops in it."""
    random = generator("rain", name)
    drops = np.zeros(frames)
    drops[random.integers(0, frames, frames // 900)] = random.standard_normal(frames // 900)
    return unit(unit(colored(frames, f"rain {name}", 0.1)) + unit(lfilter([1], [1, -1.6, 0.8], drops)))


def office(frames: int, name: str) -> np.ndarray:
    """A fan, and keys that are struck four times a second: a click and the desk's thump."""
    random = generator("office", name)
    keys = np.zeros(frames)
    length = RATE // 12
    time = np.arange(length) / RATE
    for start in random.integers(0, frames - length, 4 * frames // RATE):
        click = random.standard_normal(length) * np.exp(-time / 0.004)
        thump = np.sin(2 * np.pi * random.uniform(140, 260) * time) * np.exp(-time / 0.02)
        keys[start : start + length] += random.uniform(0.4, 1) * (click + thump)
    return unit(unit(keys) + 0.3 * fan(frames, name))


def cafe(frames: int, name: str) -> np.ndarray:
    """Eight people that speak eight languages."""
    random = generator("cafe", name)
    talkers = [talker(language) for language in BABBLERS]
    return unit(sum(np.resize(np.roll(voice, random.integers(len(voice))), frames) for voice in talkers))


NOISES = (fan, traffic, helicopter, rain, office, cafe)


@cache
def talker(language: str) -> np.ndarray:
    files = sorted(unpacked("ktuberling-data").glob(f"**/sounds/{language}/*.ogg"))[:12]
    return unit(decoded(files, 0, 20))


@cache
def voice(name: str, package: str, pattern: str, first: int, seconds: float) -> np.ndarray:
    """Sentence after sentence, a breath apart, after a breath of silence."""
    breath = np.zeros(int(0.35 * RATE))
    parts, frames = [breath], 0
    for file in sorted(unpacked(package).glob(pattern))[first:]:
        sentence = eased(decoded([file], 0, 20))
        parts += [sentence, breath]
        frames += len(sentence) + len(breath)
        if frames > seconds * RATE:
            break
    # What is below the voice would be a defect of the original.
    whole = sosfiltfilt(butter(4, 60, "highpass", fs=RATE, output="sos"), np.concatenate(parts))
    return leveled(whole[: int(seconds * RATE)])


def eased(sentence: np.ndarray) -> np.ndarray:
    """Begins and ends within 5 ms: where it was cut out is no click."""
    ease = np.minimum(1, np.arange(len(sentence)) / (0.005 * RATE))
    return sentence * ease * ease[::-1]


@cache
def piece(package: str, pattern: str, start: float, seconds: float) -> np.ndarray:
    return leveled(decoded(sorted(unpacked(package).glob(pattern))[:1], start, seconds))
