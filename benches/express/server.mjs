// The front door on Express: keeps the recording, queues its job, answers 202; tells whoever watches.
import express from 'express';

import { openQueues, openStore } from './store.mjs';

const store = openStore();
const insert = store.prepare('INSERT INTO recordings (user_email, recording) VALUES (?, ?)');
const { publish, consumer } = await openQueues(256);

const watching = new Set();
await consumer.consume('peer-completions', (delivery) => {
  const { id } = JSON.parse(delivery.content);
  for (const response of watching) {
    response.write(`id: ${id}\nevent: job.completed\ndata: {"job":{"id":${id}}}\n\n`);
  }
  consumer.ack(delivery);
});

const app = express();
app.disable('x-powered-by');
app.disable('etag');

app.post('/recordings', express.raw({ type: '*/*', limit: '512mb' }), async (request, response) => {
  const id = Number(insert.run(request.get('x-user-email') ?? '', request.body).lastInsertRowid);
  await publish('peer-jobs', { id });
  response.status(202).json({ job: { id } });
});

app.get('/events', (request, response) => {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  response.flushHeaders();
  watching.add(response);
  request.on('close', () => watching.delete(response));
});

const server = app.listen(0, '127.0.0.1', () => console.log(`ready: http://127.0.0.1:${server.address().port}`));
server.keepAliveTimeout = 60_000;
