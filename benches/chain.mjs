// The whole chain on one file: ours, as WebAssembly plugins, against ffmpeg doing the equivalent:
// highpass, afftdn, loudness measured in a first pass and set by a linear gain in a second, FLAC.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { makeNoisySpeech, median, retake, timed } from './measure.mjs';

const minutes = Number(process.env.RETAKE_BENCH_MINUTES ?? 10);
const runs = Number(process.env.RETAKE_BENCH_RUNS ?? 3);
const filters = 'highpass=f=80,afftdn=nr=12';

export async function chain(folder) {
  const input = join(folder, 'in.wav');
  makeNoisySpeech(input, minutes);
  const version = execFileSync('ffmpeg', ['-version'], { encoding: 'utf8' }).split('\n')[0];
  console.log(`\nchain: ${minutes} min of 48 kHz stereo to 16-bit FLAC, median of ${runs} interleaved runs`);
  console.log(`peer: ${version}`);

  const ours = () =>
    timed(`${retake} --data data correct in.wav -o ours.flac --chain speech`, folder);
  const fast = () => sum(
    timed(`ffmpeg -nostdin -hide_banner -y -i in.wav -af ${filters},ebur128=peak=true -f null -`, folder),
    () => {
      const measured = readFileSync(join(folder, 'stderr.log'), 'utf8').match(/I:\s+(-[\d.]+) LUFS/g).at(-1);
      const gain = -16 - Number(measured.match(/-[\d.]+/)[0]);
      return timed(`ffmpeg -nostdin -v error -y -i in.wav -af ${filters},volume=${gain}dB -c:a flac fast.flac`, folder);
    },
  );
  const dynamic = () => {
    const loudnorm = 'loudnorm=I=-16:TP=-1.5:LRA=11';
    return sum(
      timed(`ffmpeg -nostdin -hide_banner -y -i in.wav -af ${filters},${loudnorm}:print_format=json -f null -`, folder),
      () => {
        const said = readFileSync(join(folder, 'stderr.log'), 'utf8');
        const m = JSON.parse(said.slice(said.lastIndexOf('{'), said.lastIndexOf('}') + 1));
        const measured = `measured_I=${m.input_i}:measured_TP=${m.input_tp}:measured_LRA=${m.input_lra}:measured_thresh=${m.input_thresh}`;
        return timed(
          `ffmpeg -nostdin -v error -y -i in.wav -af ${filters},${loudnorm}:linear=true:${measured},aresample=48000 -c:a flac dynamic.flac`, folder);
      },
    );
  };

  ours(); // The first run compiles the plugins; later ones find them.
  const rows = { ours: [], fast: [], dynamic: [] };
  for (let run = 0; run < runs; run++) {
    rows.ours.push(ours());
    rows.fast.push(fast());
    rows.dynamic.push(dynamic());
  }
  const of = (row, key) => median(rows[row].map((r) => r[key]));
  const show = (name, row) =>
    console.log(`  ${name.padEnd(34)} cpu ${of(row, 'cpu').toFixed(2).padStart(7)} s   wall ${of(row, 'wall').toFixed(2).padStart(7)} s`);
  show('retake (WebAssembly plugins)', 'ours');
  show('ffmpeg, measured linear gain', 'fast');
  show('ffmpeg, two-pass loudnorm', 'dynamic');
  const ratio = (key, row) => median(rows.ours.map((r, n) => r[key] / rows[row][n][key]));
  claim('cpu, against the linear gain', ratio('cpu', 'fast'), 0.5);
  claim('wall, against the linear gain', ratio('wall', 'fast'), 0.4);
  console.log(`  ratio cpu, against loudnorm: ${ratio('cpu', 'dynamic').toFixed(3)}, wall: ${ratio('wall', 'dynamic').toFixed(3)}`);
}

function sum(first, then) {
  const second = then();
  return { cpu: first.cpu + second.cpu, wall: first.wall + second.wall };
}

function claim(what, ratio, limit) {
  console.log(`  ratio ${what}: ${ratio.toFixed(3)} (aim: at most ${limit}) ${ratio <= limit ? 'holds' : 'MISSED'}`);
}
