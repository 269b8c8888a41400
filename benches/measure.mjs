// Running commands and measuring them: CPU and wall time from the shell's own accounting of a
// finished command with all its children, memory from /proc while it runs.
import { execFileSync, spawn } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..');
export const retake = join(root, 'target/release/retake');

/** Seconds of CPU and wall that a shell command took, its children included. */
export function timed(command, cwd) {
  const script = `TIMEFORMAT='%U %S %R'; time { ${command} ; } >stdout.log 2>stderr.log`;
  const printed = execFileSync('bash', ['-ec', `{ ${script}; } 2>&1`], { cwd, encoding: 'utf8', env: environment() });
  const [user, system, wall] = printed.trim().split('\n').at(-1).split(' ').map(Number);
  return { cpu: user + system, wall };
}

/** The sizes of benches are none of the program's settings, and it says so. */
function environment() {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('RETAKE_BENCH_')));
}

export function median(numbers) {
  return quantile(numbers, 0.5);
}

export function quantile(numbers, q) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
}

/** Starts a role of the program and waits for its `ready` line; stop() ends it by pid. */
export function start(role, data, environment = {}, settings = []) {
  const listen = role === 'worker' ? [] : ['--listen', '127.0.0.1:0'];
  const set = settings.flatMap((setting) => ['--set', setting]);
  return startProgram(retake, [role, '--data', data, ...listen, ...set], environment);
}

/** The same for any program that says `ready` and, where it has one, its address. */
export async function startProgram(program, words, settings = {}) {
  const child = spawn(program, words, {
    env: { ...environment(), ...settings },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const url = await new Promise((ready, failed) => {
    let printed = '';
    child.stdout.on('data', (piece) => {
      printed += piece;
      const line = printed.match(/^ready:? ?(\S*)/m);
      if (line && printed.includes('\n')) ready(line[1]);
    });
    child.on('exit', () => failed(new Error(`${[program, ...words].join(' ')} ended before it was ready`)));
  });
  const stop = () =>
    new Promise((ended) => {
      child.removeAllListeners('exit');
      child.on('exit', ended);
      child.kill('SIGTERM');
    });
  return { url, pid: child.pid, stop };
}

/** Seconds of CPU of a process and of its children that have ended. */
export function treeCpu(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').replace(/^.*\) /, '').split(' ');
  const ticks = fields.slice(11, 15).map(Number);
  return ticks.reduce((a, b) => a + b, 0) / 100;
}

/** Proportional set size in bytes of a process and all its descendants. */
export function treeMemory(pid) {
  let bytes = 0;
  try {
    const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
    bytes += Number(rollup.match(/^Pss:\s+(\d+)/m)[1]) * 1024;
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      const children = readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8');
      for (const child of children.split(' ').filter(Boolean)) bytes += treeMemory(child);
    }
  } catch {
    // It ended while it was being read.
  }
  return bytes;
}

/** The highest sum of several trees' memory while `work` runs. */
export async function peakMemory(pids, work) {
  let peak = 0;
  const timer = setInterval(() => {
    peak = Math.max(peak, pids.map(treeMemory).reduce((a, b) => a + b, 0));
  }, 25);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  return peak;
}

/** Speech from the test fixtures over pink noise, 48 kHz stereo, 16-bit WAV. */
export function makeNoisySpeech(path, minutes) {
  const speech = join(root, 'tests/fixtures/recordings/chromium-recording.webm');
  const noise = (seed) => ['-f', 'lavfi', '-i', `anoisesrc=color=pink:amplitude=0.02:sample_rate=48000:seed=${seed}`];
  const mix =
    '[0]aresample=48000,pan=stereo|c0=c0|c1=0.9*c0[s];[1][2]amerge=inputs=2[n];[s][n]amix=inputs=2:duration=first:normalize=0';
  execFileSync('ffmpeg', [
    '-nostdin', '-v', 'error', '-y', '-stream_loop', '-1', '-i', speech, ...noise(1), ...noise(2),
    '-filter_complex', mix, '-t', String(minutes * 60), '-c:a', 'pcm_s16le', path,
  ]);
}
