import assert from "node:assert/strict";
import { test } from "node:test";
import { corrector } from "./plugin.js";

test("nothing exceeds full scale", () => {
  const params = [{ id: "drive-db", value: { tag: "float", val: 24 } }];
  const session = corrector.Session.open({ channels: 1, sampleRate: 48000 }, params);
  const [output] = session.process([[0, 0.5, -3, 100]]);
  assert.ok(output.every((sample) => Math.abs(sample) <= 1));
  assert.equal(session.report().measurements[0].value.val, 0);
});
