// POST/s into an event log of a million events beside a fresh one: what was written long ago must cost
// nothing. Two servers without workers, measured in turns.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

import { connect } from './client.mjs';
import { makeNoisySpeech, quantile, start } from './measure.mjs';

const events = 1_000_000;
const rounds = 5;
const postsPerRound = 400;
const atOnce = 16;
const ratioMin = 0.9;

// The rows that a million jobs' worth of news leave, in thousands of owners' names. Done while nothing
// else has the file open.
const fill = `
import sqlite3, sys
file = sqlite3.connect(sys.argv[1])
job, news = file.execute("SELECT job_id, job FROM events LIMIT 1").fetchone()
file.execute("""
    WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < ?)
    INSERT INTO events (owner, job_id, kind, job)
    SELECT printf('%08x-0000-7000-8000-%012x', (i * 2654435761) % 5000, (i * 40503) % 5000),
           ?, 'job.completed', ? FROM n""", (int(sys.argv[2]), job, news))
file.commit()
file.close()
`;

export async function eventLog(folder) {
  console.log(`\nevents: POST/s with ${events} events in the log, as a share of a fresh one`);
  const input = join(folder, 'tiny.wav');
  makeNoisySpeech(input, 1 / 600);
  const settings = {
    RETAKE_SERVER_QUEUE_DEPTH_MAX: '10000000',
    // All of them are one owner's here.
    RETAKE_SERVER_UPLOADS_PER_OWNER_MAX: String(atOnce),
  };

  const folders = { fresh: join(folder, 'events-fresh'), filled: join(folder, 'events-filled') };
  const first = await start('server', folders.filled, settings);
  await (await connect(first.url)).post(input, { preset: 'speech' });
  await first.stop();
  execFileSync('python3', ['-c', fill, join(folders.filled, 'retake.db'), String(events)]);

  const servers = {};
  for (const [name, data] of Object.entries(folders)) servers[name] = await start('server', data, settings);
  const rates = { fresh: [], filled: [] };
  const times = { fresh: [], filled: [] };
  for (let round = -1; round < rounds; round++) {
    for (const [name, server] of Object.entries(servers)) {
      const measured = await postAll(server.url, input);
      // The first round warms up.
      if (round < 0) continue;
      rates[name].push(measured.rate);
      times[name].push(...measured.times);
    }
  }
  for (const server of Object.values(servers)) await server.stop();

  for (const name of Object.keys(folders)) {
    console.log(
      `  ${name.padEnd(8)} ${quantile(rates[name], 0.5).toFixed(0)} POST/s, ` +
        `p50 ${quantile(times[name], 0.5).toFixed(1)} ms, p99 ${quantile(times[name], 0.99).toFixed(1)} ms`,
    );
  }
  const ratio = quantile(rates.filled, 0.5) / quantile(rates.fresh, 0.5);
  console.log(`  ratio ${ratio.toFixed(2)} (aim: at least ${ratioMin}) ${ratio >= ratioMin ? 'holds' : 'MISSED'}`);
}

async function postAll(url, input) {
  const client = await connect(url);
  const times = [];
  let left = postsPerRound;
  const begun = performance.now();
  const poster = async () => {
    while (left-- > 0) {
      const sent = performance.now();
      await client.post(input, { preset: 'speech' });
      times.push(performance.now() - sent);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, poster));
  return { rate: (1000 * postsPerRound) / (performance.now() - begun), times };
}
