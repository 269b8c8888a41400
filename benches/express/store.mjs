// What server and worker share: one SQLite file, synced with every commit, and two quorum queues.
import amqp from 'amqplib';
import Database from 'better-sqlite3';

export function openStore() {
  const store = new Database(process.env.DB, { timeout: 10_000 });
  store.pragma('journal_mode = WAL');
  store.pragma('synchronous = FULL');
  store.exec(`
    CREATE TABLE IF NOT EXISTS recordings (
      id INTEGER PRIMARY KEY, user_email TEXT NOT NULL, recording BLOB NOT NULL);
    CREATE TABLE IF NOT EXISTS corrections (
      recording_id INTEGER PRIMARY KEY, correction BLOB NOT NULL);`);
  return store;
}

/** Two channels, because confirms and deliveries must not wait for each other. */
export async function openQueues(prefetch) {
  const connection = await amqp.connect(process.env.AMQP);
  const publisher = await connection.createConfirmChannel();
  const consumer = await connection.createChannel();
  for (const queue of ['peer-jobs', 'peer-completions']) {
    await publisher.assertQueue(queue, { durable: true, arguments: { 'x-queue-type': 'quorum' } });
  }
  await consumer.prefetch(prefetch);
  // Resolves once the broker has it on disk.
  const publish = (queue, message) =>
    new Promise((stored, failed) => {
      const body = Buffer.from(JSON.stringify(message));
      publisher.sendToQueue(queue, body, { persistent: true }, (error) => (error ? failed(error) : stored()));
    });
  return { publish, consumer };
}
