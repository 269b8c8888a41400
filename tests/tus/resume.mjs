// Uploads by tus-js-client while the server is killed and the connection is cut in the middle of pieces: each
// must become one recording, to the byte. node resume.mjs PROGRAM DATA

import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import net from "node:net";
import * as tus from "tus-js-client";

const [program, data] = process.argv.slice(2);
const PORT = 20_000 + (process.pid % 20_000);
const UPLOADS = 6;
const BYTES = 12 << 20;

let server;
function start() {
  const args = ["server", "--data", data, "--listen", `127.0.0.1:${PORT}`];
  server = spawn(program, args, { stdio: ["ignore", "pipe", "ignore"] });
  return new Promise((resolve) => server.stdout.once("data", resolve));
}

// Between client and server: slow, and cut at whim.
const cuts = new Set();
const proxy = net.createServer((client) => {
  const upstream = net.connect(PORT, "127.0.0.1");
  const cut = () => (client.destroy(), upstream.destroy());
  cuts.add(cut);
  for (const socket of [client, upstream]) socket.on("error", cut).on("close", () => (cut(), cuts.delete(cut)));
  client.on("data", (bytes) => {
    client.pause();
    upstream.write(bytes);
    setTimeout(() => client.resume(), 8);
  });
  upstream.pipe(client);
});
await new Promise((resolve) => proxy.listen(0, "127.0.0.1", resolve));
const base = `http://127.0.0.1:${proxy.address().port}/api/v1`;
const direct = `http://127.0.0.1:${PORT}/api/v1`;

await start();
const { token } = await (await fetch(`${direct}/sessions`, { method: "POST" })).json();
const headers = { authorization: `Bearer ${token}` };

function wav() {
  const bytes = randomBytes(BYTES);
  bytes.write("RIFF", 0);
  bytes.writeUInt32LE(BYTES - 8, 4);
  bytes.write("WAVEfmt ", 8);
  for (const [at, value] of [[16, 16], [24, 48_000], [28, 96_000], [40, BYTES - 44]]) bytes.writeUInt32LE(value, at);
  for (const [at, value] of [[20, 1], [22, 1], [32, 2], [34, 16]]) bytes.writeUInt16LE(value, at);
  bytes.write("data", 36);
  return bytes;
}

let begun = 0;
function upload(bytes, name) {
  return new Promise((resolve, reject) => {
    const chain = '{"steps": [{"plugin": "gain"}]}';
    const one = new tus.Upload(bytes, {
      endpoint: `${base}/uploads`,
      chunkSize: 3 << 20,
      retryDelays: Array(60).fill(200),
      headers: { Authorization: `Bearer ${token}` },
      metadata: { filename: name, user_email: "ann@example.org", chain },
      onAfterResponse: (request, response) => {
        begun += request.getMethod() === "POST" && response.getStatus() === 201 ? 1 : 0;
      },
      onError: reject,
      onSuccess: () => resolve(one.url),
    });
    one.start();
  });
}

const files = Array.from({ length: UPLOADS }, (_, n) => ({ name: `take ${n}.wav`, bytes: wav() }));
let done = false;
let faults = 0;
const disturbing = (async () => {
  while (!done) {
    await new Promise((resolve) => setTimeout(resolve, 400));
    faults += 1;
    if (faults % 3 === 0) {
      server.kill("SIGKILL");
      await new Promise((resolve) => server.once("exit", resolve));
      await start();
    } else {
      for (const cut of cuts) cut();
    }
    if (faults > 20) return;
  }
})();
await Promise.all(files.map(({ name, bytes }) => upload(bytes, name)));
done = true;
await disturbing;

const { items } = await (await fetch(`${direct}/recordings?limit=100`, { headers })).json();
const sum = (bytes) => createHash("sha256").update(bytes).digest("hex");
const expected = files.map(({ name, bytes }) => `${name} ${sum(bytes)} 1`).sort();
const found = items.map((it) => `${it.file_name} ${it.sha256} ${it.job_counts.total}`).sort();
proxy.close();
for (const cut of cuts) cut();
server.kill("SIGTERM");
if (JSON.stringify(found) !== JSON.stringify(expected)) {
  console.error({ expected, found });
  process.exit(1);
}
console.log(`${UPLOADS} uploads, ${begun} begun, ${faults} cuts and kills, ${found.length} recordings`);
