// Peak memory of server, worker and the worker's child together, for recordings of 1 to 60 minutes.
import { join } from 'node:path';

import { completion, connect } from './client.mjs';
import { makeNoisySpeech, peakMemory, start } from './measure.mjs';

const limitMb = 150;

export async function memory(folder) {
  console.log('\nmemory: peak (PSS) of server + worker + its child, 48 kHz stereo WAV, preset speech');
  const data = join(folder, 'memory');
  const large = ['server.upload_bytes_max=2000000000'];
  const server = await start('server', data, {}, large);
  const worker = await start('worker', data, {}, large);
  try {
    const client = await connect(server.url);
    const { of, close } = await completion(client);
    const peaks = [];
    for (const minutes of [1, 10, 60]) {
      const input = join(folder, `${minutes}.wav`);
      makeNoisySpeech(input, minutes);
      const peak = await peakMemory([server.pid, worker.pid], async () => {
        await of(await client.post(input, { preset: 'speech' }));
      });
      peaks.push(peak / 1e6);
      console.log(`  ${String(minutes).padStart(3)} min: ${(peak / 1e6).toFixed(1)} MB`);
    }
    close();
    const worst = Math.max(...peaks);
    console.log(`  worst ${worst.toFixed(1)} MB (aim: below ${limitMb}) ${worst < limitMb ? 'holds' : 'MISSED'}`);
    console.log(`  ratio 60 min / 1 min: ${(peaks[2] / peaks[0]).toFixed(3)}`);
  } finally {
    await worker.stop();
    await server.stop();
  }
}
