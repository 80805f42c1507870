import assert from "node:assert/strict";
import { test } from "node:test";
import { indexAt, moments, timeAt, xOf, yOf } from "../../lib/eventlab/show/timeline.js";

const frame = { left: 76, top: 12, width: 720, height: 160, start: 1000, end: 9000, low: -50, high: 150 };

test("moments come out of bytes that begin anywhere in their buffer", () => {
  const sent = new Float64Array([1772550000000, 1772550000001.5]);
  const message = new Uint8Array(3 + sent.byteLength);
  message.set(new Uint8Array(sent.buffer), 3);
  assert.deepEqual([...moments(new DataView(message.buffer, 3))], [...sent]);
});

test("a moment belongs to the last version at or before it", () => {
  const times = [10, 20, 20, 20, 30];
  assert.equal(indexAt(times, 10), 0);
  assert.equal(indexAt(times, 19), 0);
  assert.equal(indexAt(times, 20), 3);
  assert.equal(indexAt(times, 29), 3);
  assert.equal(indexAt(times, 99), 4);
});

test("before the first version there is only the first version", () => assert.equal(indexAt([10, 20], 9), 0));

test("the edges of the plot are the first and the last moment", () => {
  assert.equal(xOf(1000, frame), 76);
  assert.equal(xOf(9000, frame), 796);
});

test("pointing at where a moment is drawn gives that moment", () => {
  for (const time of [1000, 1234, 5000, 9000]) assert.ok(Math.abs(timeAt(xOf(time, frame), frame) - time) < 1e-9);
});

test("pointing beside the plot gives its nearest edge", () => {
  assert.equal(timeAt(0, frame), 1000);
  assert.equal(timeAt(5000, frame), 9000);
});

test("a higher value is drawn higher, the limits at the edges", () => {
  assert.equal(yOf(150, frame), 12);
  assert.equal(yOf(-50, frame), 172);
  assert.ok(yOf(100, frame) < yOf(50, frame));
});
