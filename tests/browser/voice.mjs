// What the fake microphone hears: something like a voice saying syllables, with mains hum and hiss
// under it, so that a correction has something to correct. Written as 16-bit WAV, the same every time.

const RATE = 48_000;

/** After this it repeats: long files are made in no time. */
const UNIQUE_S = 8;

export function voiceWav(seconds) {
  const pcm = voice(Math.min(seconds, UNIQUE_S));
  const copies = Array.from({ length: Math.ceil(seconds / UNIQUE_S) }, () => pcm);
  const whole = Buffer.concat(copies).subarray(0, Math.round(seconds * RATE) * 2);
  return Buffer.concat([wavHeader(whole.length), whole]);
}

/** A tone of 440 Hz, that has no silence anywhere. */
export function toneWav(seconds) {
  const frames = Math.round(seconds * RATE);
  const pcm = Buffer.alloc(frames * 2);
  for (let frame = 0; frame < frames; frame += 1) {
    pcm.writeInt16LE(Math.round(6000 * Math.sin((2 * Math.PI * 440 * frame) / RATE)), frame * 2);
  }
  return Buffer.concat([wavHeader(pcm.length), pcm]);
}

function voice(seconds) {
  const frames = Math.round(seconds * RATE);
  const random = randomNumbers(20_261_123);
  const pcm = Buffer.alloc(frames * 2);
  for (let frame = 0; frame < frames; frame += 1) {
    const t = frame / RATE;
    const hum = 0.01 * Math.sin(2 * Math.PI * 50 * t);
    const hiss = 0.005 * (2 * random() - 1);
    const sample = Math.max(-1, Math.min(1, syllable(t) + hum + hiss));
    pcm.writeInt16LE(Math.round(sample * 32_767), frame * 2);
  }
  return pcm;
}

/** Three syllables a second, each 0.22 s of a gliding pitch under two formants. */
function syllable(t) {
  const within = t % (1 / 3);
  if (within > 0.22) return 0;
  const envelope = Math.sin((Math.PI * within) / 0.22) ** 2;
  const pitch = 130 - 60 * within;
  let voice = 0;
  for (let harmonic = 1; harmonic * pitch < 4000; harmonic += 1) {
    const hz = harmonic * pitch;
    const formants = 1 / (1 + ((hz - 650) / 160) ** 2) + 0.5 / (1 + ((hz - 1200) / 200) ** 2);
    voice += (formants + 0.02) * Math.sin(2 * Math.PI * hz * t);
  }
  return 0.06 * envelope * voice;
}

function wavHeader(pcmBytes) {
  const header = Buffer.alloc(44);
  header.write("RIFF", 0);
  header.writeUInt32LE(36 + pcmBytes, 4);
  header.write("WAVEfmt ", 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20); // PCM
  header.writeUInt16LE(1, 22); // mono
  header.writeUInt32LE(RATE, 24);
  header.writeUInt32LE(RATE * 2, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write("data", 36);
  header.writeUInt32LE(pcmBytes, 40);
  return header;
}

/** mulberry32: small, and the same on every machine. */
function randomNumbers(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
