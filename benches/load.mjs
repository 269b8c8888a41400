// Load over plain sockets: what the client costs is taken from the same cores, so it must be little.
import http from 'node:http';
import net from 'node:net';

/** A kept-alive connection that sends one prepared request after the other. */
export class Poster {
  static async open(url, request) {
    const { hostname, port } = new URL(url);
    const socket = net.connect(Number(port), hostname);
    await new Promise((connected, failed) => socket.once('connect', connected).once('error', failed));
    socket.setNoDelay(true);
    return new Poster(socket, request);
  }

  constructor(socket, request) {
    this.socket = socket;
    this.request = request;
    this.unread = '';
    socket.setEncoding('latin1');
    socket.on('data', (piece) => this.read(piece));
    socket.on('close', () => this.failed?.(new Error('the server closed the connection')));
  }

  /** Resolves to the answer's body, which must be JSON. */
  post() {
    return new Promise((answered, failed) => {
      this.answered = answered;
      this.failed = failed;
      this.socket.write(this.request);
    });
  }

  read(piece) {
    this.unread += piece;
    const head = this.unread.indexOf('\r\n\r\n');
    if (head < 0) return;
    const length = Number(this.unread.slice(0, head).match(/content-length: *(\d+)/i)?.[1] ?? 0);
    if (this.unread.length < head + 4 + length) return;
    const status = this.unread.slice(9, 12);
    const body = this.unread.slice(head + 4, head + 4 + length);
    this.unread = this.unread.slice(head + 4 + length);
    if (status === '202') this.answered(JSON.parse(body));
    else this.failed(new Error(`${status}: ${body}`));
  }

  close() {
    this.failed = undefined;
    this.socket.destroy();
  }
}

export function request(url, path, headers, body) {
  const lines = [`POST ${path} HTTP/1.1`, `host: ${new URL(url).host}`, `content-length: ${body.length}`];
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), body]);
}

/** When each job was completed, by its id. */
export async function completions(url, headers) {
  const at = new Map();
  const response = await new Promise((answered, failed) =>
    http.get(url, { headers, agent: false }, answered).once('error', failed),
  );
  let unread = '';
  let ended = false;
  response.setEncoding('latin1');
  response.on('data', (piece) => {
    const now = performance.now();
    unread += piece;
    const messages = unread.split('\n\n');
    unread = messages.pop();
    for (const message of messages) {
      if (!message.includes('event: job.')) continue;
      const id = message.match(/"job":\{"id":"?([^",}]+)/)?.[1];
      if (message.includes('event: job.completed')) at.set(id, now);
      else if (/event: job\.(failed|cancelled)/.test(message)) throw new Error(message);
    }
  });
  response.on('close', () => {
    if (!ended) throw new Error('the event stream ended');
  });
  const close = () => {
    ended = true;
    response.destroy();
  };
  return { at, close };
}

/** `connections` post one after the other for so long. Returns when each job was posted, by its id. */
export async function closedLoop(posters, seconds) {
  const posted = new Map();
  const begun = performance.now();
  const until = begun + 1000 * seconds;
  await Promise.all(
    posters.map(async (poster) => {
      while (performance.now() < until) {
        const at = performance.now();
        posted.set(String((await poster.post()).job.id), at);
      }
    }),
  );
  return { posted, begun, until };
}

/** So many a second, whether or not the earlier ones are answered: a late start counts as waiting. */
export async function offered(posters, perSecond, seconds) {
  const posted = new Map();
  const free = [...posters];
  const due = [];
  const under = new Set();
  const next = () => {
    while (free.length > 0 && due.length > 0) {
      const [poster, at] = [free.pop(), due.shift()];
      const posting = poster.post().then((answer) => {
        posted.set(String(answer.job.id), at);
        free.push(poster);
        under.delete(posting);
        next();
      });
      under.add(posting);
    }
  };
  const begun = performance.now();
  for (let n = 0; n < perSecond * seconds; n++) {
    const at = begun + (1000 * n) / perSecond;
    const wait = at - performance.now();
    if (wait > 0) await new Promise((later) => setTimeout(later, wait));
    // A timer that comes late is the client's fault, up to here.
    due.push(Math.max(at, performance.now() - 2));
    next();
  }
  while (under.size > 0) await Promise.all(under);
  return { posted };
}
