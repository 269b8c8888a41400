// A REST client for the benches: posts recordings, hears events.
import { openAsBlob } from 'node:fs';

export async function connect(url) {
  const session = await fetch(`${url}/api/v1/sessions`, { method: 'POST' });
  const { token } = await session.json();
  const headers = { authorization: `Bearer ${token}` };

  const post = async (path, fields) => {
    const form = new FormData();
    form.set('user_email', 'bench@example.org');
    for (const [name, value] of Object.entries(fields)) form.set(name, value);
    form.set('recording', await openAsBlob(path), 'bench.wav');
    const response = await fetch(`${url}/api/v1/recordings`, { method: 'POST', headers, body: form });
    if (response.status !== 202) throw new Error(`${response.status}: ${await response.text()}`);
    return (await response.json()).job.id;
  };

  const json = async (path) => (await fetch(url + path, { headers })).json();

  /** Calls `heard(event, job, at)` for each event until `close` is called. */
  const listen = async (heard) => {
    const stop = new AbortController();
    const response = await fetch(`${url}/api/v1/events`, { headers, signal: stop.signal });
    const pump = async () => {
      let unread = '';
      try {
        for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
          const at = performance.now();
          unread += piece;
          const messages = unread.split('\n\n');
          unread = messages.pop();
          for (const message of messages) {
            const event = message.match(/^event: ?(.*)$/m)?.[1];
            const data = message.match(/^data: ?(.*)$/m)?.[1];
            if (event && data) heard(event, JSON.parse(data).job, at);
          }
        }
      } catch (error) {
        if (!stop.signal.aborted) throw error;
      }
    };
    pump();
    return () => stop.abort();
  };

  return { post, json, listen };
}

/** Resolves when the job has ended; throws unless it completed. */
export function completion(client) {
  const waiting = new Map();
  const early = new Map();
  const heard = (event, job, at) => {
    if (!['job.completed', 'job.failed', 'job.cancelled'].includes(event)) return;
    const end = { event, job, at };
    if (waiting.has(job.id)) waiting.get(job.id)(end);
    else early.set(job.id, end);
  };
  const of = async (id) => {
    const end = early.get(id) ?? (await new Promise((resolve) => waiting.set(id, resolve)));
    if (end.event !== 'job.completed') throw new Error(`${end.event}: ${JSON.stringify(end.job.error)}`);
    return end;
  };
  return client.listen(heard).then((close) => ({ of, close }));
}
