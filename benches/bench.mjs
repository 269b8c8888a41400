// Runs the named benches and prints their figures; every claim is a ratio against a peer or a limit.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { chain } from './chain.mjs';
import { eventLog } from './events.mjs';
import { express } from './express.mjs';
import { latency } from './latency.mjs';
import { memory } from './memory.mjs';

const benches = { chain, memory, latency, events: eventLog, express };
const wanted = process.argv.slice(2);
for (const name of wanted) {
  if (!(name in benches)) {
    console.error(`there is no bench "${name}"; there are: ${Object.keys(benches).join(', ')}`);
    process.exit(2);
  }
}
const folder = mkdtempSync(join(tmpdir(), 'retake-bench-'));
try {
  for (const [name, bench] of Object.entries(benches)) {
    if (wanted.length === 0 || wanted.includes(name)) await bench(folder);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
