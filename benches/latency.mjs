// From POST to the completed event at the client, less the processing itself (the report's
// elapsed_ms), one job at a time, on either queue.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

import { completion, connect } from './client.mjs';
import { makeNoisySpeech, quantile, root, start } from './measure.mjs';

const jobs = 100;
const limitMs = 20;

export async function latency(folder) {
  console.log(`\nlatency: POST to SSE beyond the processing itself, ${jobs} jobs one after the other`);
  const input = join(folder, 'short.wav');
  makeNoisySpeech(input, 1 / 60);

  const alone = await start('up', join(folder, 'latency-embedded'));
  await measured('embedded queue, one process', alone.url, input);
  await alone.stop();

  const brokerFolder = join(folder, 'broker');
  const broker = (command) =>
    execFileSync(join(root, 'scripts/test-broker'), [command, brokerFolder], { encoding: 'utf8' });
  const environment = { RETAKE_QUEUE_URL: broker('start').trim().split('\n').at(-1) };
  const data = join(folder, 'latency-rabbitmq');
  const server = await start('server', data, environment);
  const worker = await start('worker', data, environment);
  await measured('RabbitMQ, server and worker apart', server.url, input);
  await worker.stop();
  await server.stop();
  broker('stop');
}

async function measured(name, url, input) {
  const client = await connect(url);
  const { of, close } = await completion(client);
  const overheads = [];
  for (let n = 0; n < jobs; n++) {
    const begun = performance.now();
    const id = await client.post(input, { preset: 'speech' });
    const { at } = await of(id);
    const report = await client.json(`/api/v1/jobs/${id}/report`);
    overheads.push(at - begun - report.elapsed_ms);
  }
  close();
  const p50 = quantile(overheads, 0.5);
  console.log(
    `  ${name.padEnd(34)} p50 ${p50.toFixed(1)} ms, p99 ${quantile(overheads, 0.99).toFixed(1)} ms ` +
      `(aim: p50 below ${limitMs}) ${p50 < limitMs ? 'holds' : 'MISSED'}`,
  );
}
