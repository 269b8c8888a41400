// Against the stack that this one replaces (`express/`): the same way of a job on the same broker,
// with workers that only copy bytes, in turns. And what a short job of ours costs, all of it.
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { closedLoop, completions, offered, Poster, request } from './load.mjs';
import { makeNoisySpeech, median, quantile, root, start, startProgram, treeCpu } from './measure.mjs';

const connections = 32;
const runs = Number(process.env.RETAKE_BENCH_RUNS ?? 3);
const seconds = Number(process.env.RETAKE_BENCH_SECONDS ?? 10);
const perSecond = [20, 200];
const shortJobs = 100;
const aims = { posts: 4, completions: 2, latency: 0.5, cpuMs: 6 };

const installed = join(root, '.cache/express-peer');
const copyingWorker = join(root, 'target/release/copying-worker');
// All of the load comes from one address and belongs to one owner.
const settings = {
  RETAKE_SERVER_QUEUE_DEPTH_MAX: '10000000',
  RETAKE_SERVER_UPLOADS_PER_OWNER_MAX: '64',
  RETAKE_SERVER_UPLOADS_PER_ADDRESS_MAX: '64',
};

export async function express(folder) {
  console.log(`\nexpress: the same way of a job on Express, amqplib and better-sqlite3; ${runs} runs in turns`);
  installPeer();
  const input = join(folder, 'quarter-second.wav');
  makeNoisySpeech(input, 0.25 / 60);
  const audio = readFileSync(input);
  const brokerFolder = join(folder, 'express-broker');
  const broker = (command) =>
    execFileSync(join(root, 'scripts/test-broker'), [command, brokerFolder], { encoding: 'utf8' });
  const amqp = broker('start').trim().split('\n').at(-1);
  try {
    const stacks = { peer, retake };
    const of = { peer: [], retake: [] };
    let peerFull;
    for (let run = 0; run < runs; run++) {
      for (const [name, stack] of Object.entries(stacks)) {
        const place = join(folder, `express-${name}-${run}`);
        mkdirSync(place);
        const measured = await measure(() => stack(place, amqp, audio), peerFull);
        // Both are then asked for what the peer can just take in.
        peerFull ??= Math.floor(measured.posts);
        of[name].push(measured);
      }
    }
    tell(of, peerFull);
    await tellCpu(folder, amqp, audio);
  } finally {
    broker('stop');
  }
}

/** Its packages go into the cache; the repository holds the few files that are ours. */
function installPeer() {
  mkdirSync(installed, { recursive: true });
  const files = ['package.json', 'package-lock.json', 'store.mjs', 'server.mjs', 'worker.mjs'];
  for (const file of files) cpSync(join(root, 'benches/express', file), join(installed, file), { preserveTimestamps: true });
  execFileSync(join(root, 'scripts/npm-ready'), [installed], { stdio: 'inherit' });
}

async function peer(place, amqp, audio) {
  const environment = { DB: join(place, 'peer.db'), AMQP: amqp };
  const program = (file) => startProgram(process.execPath, [join(installed, file)], environment);
  const server = await program('server.mjs');
  const worker = await program('worker.mjs');
  const headers = { 'content-type': 'audio/wav', 'x-user-email': 'bench@example.org' };
  return {
    processes: [worker, server],
    events: `${server.url}/events`,
    request: request(server.url, '/recordings', headers, audio),
    url: server.url,
    headers: {},
  };
}

async function retake(place, amqp, audio, worker = copying) {
  const environment = { ...settings, RETAKE_QUEUE_URL: amqp };
  const server = await start('server', place, environment);
  const working = await worker(place, environment);
  const session = await fetch(`${server.url}/api/v1/sessions`, { method: 'POST' });
  const headers = { authorization: `Bearer ${(await session.json()).token}` };
  const boundary = 'a-boundary-of-the-bench';
  const field = (name, value) => `--${boundary}\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
  const body = Buffer.concat([
    Buffer.from(
      field('user_email', 'bench@example.org') +
        field('chain', '{"steps":[{"plugin":"gain"}]}') +
        field('format', 'wav') +
        `--${boundary}\r\ncontent-disposition: form-data; name="recording"; filename="bench.wav"\r\n\r\n`,
    ),
    audio,
    Buffer.from(`\r\n--${boundary}--\r\n`),
  ]);
  const form = { ...headers, 'content-type': `multipart/form-data; boundary=${boundary}` };
  return {
    processes: [working, server],
    events: `${server.url}/api/v1/events`,
    request: request(server.url, '/api/v1/recordings', form, body),
    url: server.url,
    headers,
  };
}

const copying = (place, environment) => startProgram(copyingWorker, [place, environment.RETAKE_QUEUE_URL], {});
const working = (place, environment) => start('worker', place, environment);

/** One stack, from its start to its end. */
async function measure(begin, peerFull) {
  const stack = await begin();
  const heard = await completions(stack.events, stack.headers);
  const posters = await Promise.all(
    Array.from({ length: connections }, () => Poster.open(stack.url, stack.request)),
  );
  // Compiled, connected, and the files begun.
  await ended(await offered(posters, 50, 2), heard);
  const latency = {};
  for (const rate of perSecond) {
    latency[rate] = await ended(await offered(posters, rate, seconds), heard);
  }
  const { posted, begun, until } = await closedLoop(posters, seconds);
  const posts = posted.size / seconds;
  await ended({ posted }, heard);
  const within = [...posted.keys()].filter((id) => heard.at.get(id) <= until);
  const completed = within.length / seconds;
  latency.full = await ended(await offered(posters, peerFull ?? Math.floor(posts), seconds), heard);
  for (const poster of posters) poster.close();
  heard.close();
  for (const process of stack.processes) await process.stop();
  return { posts, completed, latency, begun };
}

/** Waits for the completed event of each; returns how long each took. */
async function ended({ posted }, { at }) {
  const patience = performance.now() + 120_000;
  while ([...posted.keys()].some((id) => !at.has(id))) {
    if (performance.now() > patience) {
      const missing = [...posted.keys()].filter((id) => !at.has(id)).length;
      throw new Error(`${missing} of ${posted.size} jobs were not completed`);
    }
    await new Promise((later) => setTimeout(later, 50));
  }
  return [...posted].map(([id, begun]) => at.get(id) - begun);
}

function tell(of, peerFull) {
  const line = (what, unit, value, aim, isBest) => {
    const [theirs, ours] = [of.peer, of.retake].map((measured) => median(measured.map(value)));
    const ratio = ours / theirs;
    const holds = isBest(ratio, aim) ? 'holds' : 'MISSED';
    console.log(
      `  ${what.padEnd(44)} ${ours.toFixed(1).padStart(7)} ${unit}, peer ${theirs.toFixed(1).padStart(7)}: ` +
        `${ratio.toFixed(2)} × (aim: ${aim}) ${holds}`,
    );
  };
  const atLeast = (ratio, aim) => ratio >= aim;
  const atMost = (ratio, aim) => ratio <= aim;
  line(`POST/s at ${connections} connections`, '/s', ({ posts }) => posts, aims.posts, atLeast);
  line('completions/s meanwhile', '/s', ({ completed }) => completed, aims.completions, atLeast);
  for (const rate of [...perSecond, 'full']) {
    const load = rate === 'full' ? `at the peer's full load, ${peerFull}/s` : `at ${rate}/s`;
    for (const q of [0.5, 0.99]) {
      const value = ({ latency }) => quantile(latency[rate], q);
      line(`POST to completed ${load}, p${100 * q}`, 'ms', value, aims.latency, atMost);
    }
  }
}

/** The real worker on a quarter of a second of audio through one plugin, its child included. */
async function tellCpu(folder, amqp, audio) {
  const place = join(folder, 'express-cpu');
  mkdirSync(place);
  const stack = await retake(place, amqp, audio, working);
  const heard = await completions(stack.events, stack.headers);
  const posters = [await Poster.open(stack.url, stack.request)];
  await ended(await offered(posters, 20, 1), heard);
  const cpu = () => stack.processes.reduce((sum, { pid }) => sum + treeCpu(pid), 0);
  const before = cpu();
  const times = await ended(await offered(posters, 20, shortJobs / 20), heard);
  const perJob = (1000 * (cpu() - before)) / shortJobs;
  posters[0].close();
  heard.close();
  for (const process of stack.processes) await process.stop();
  console.log(
    `  a short job with its work (gain on 0.25 s of WAV): ${perJob.toFixed(1)} ms of CPU ` +
      `(aim: ${aims.cpuMs}) ${perJob <= aims.cpuMs ? 'holds' : 'MISSED'}; ` +
      `POST to completed p50 ${quantile(times, 0.5).toFixed(1)} ms, p99 ${quantile(times, 0.99).toFixed(1)} ms`,
  );
}
