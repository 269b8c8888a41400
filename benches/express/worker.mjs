// Copies each recording's bytes: a worker whose work takes no time.
import { openQueues, openStore } from './store.mjs';

const store = openStore();
const recording = store.prepare('SELECT recording FROM recordings WHERE id = ?').pluck();
const keep = store.prepare('INSERT OR IGNORE INTO corrections (recording_id, correction) VALUES (?, ?)');
const { publish, consumer } = await openQueues(16);

await consumer.consume('peer-jobs', async (delivery) => {
  const { id } = JSON.parse(delivery.content);
  keep.run(id, recording.get(id));
  await publish('peer-completions', { id });
  consumer.ack(delivery);
});
console.log('ready: peer worker');
