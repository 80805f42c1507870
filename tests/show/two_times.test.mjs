import assert from "node:assert/strict";
import { test } from "node:test";
import { indexAt, moments, moved, placeOf } from "../../lib/eventlab/show/two_times.js";

const across = { from: 92, to: 792, start: 1000, end: 8000 };
const upwards = { from: 394, to: 34, start: 1000, end: 8200 }; // the picture's own units grow downwards
const sizes = [5, 40];

test("moments come out of bytes that begin anywhere in their buffer", () => {
  const sent = new Float64Array([1772550000000, 1772550000001.5]);
  const message = new Uint8Array(3 + sent.byteLength);
  message.set(new Uint8Array(sent.buffer), 3);
  assert.deepEqual([...moments(new DataView(message.buffer, 3))], [...sent]);
});

test("the edges of the plot are the first and the last moment, and later is to the right and up", () => {
  assert.equal(placeOf(1000, across), 92);
  assert.equal(placeOf(8000, across), 792);
  assert.equal(placeOf(1000, upwards), 394);
  assert.equal(placeOf(8200, upwards), 34);
  assert.ok(placeOf(5000, upwards) < placeOf(4000, upwards));
});

test("pointing at where a moment is drawn gives that moment", () => {
  const times = [1000, 2345, 2346, 7000];
  for (const axis of [across, upwards])
    times.forEach((time, index) => assert.equal(indexAt(times, placeOf(time + 0.01, axis), axis), index));
});

test("between two moments one points at the earlier, beside the plot at the nearest", () => {
  const times = [1000, 3000, 6000];
  assert.equal(indexAt(times, placeOf(5999, across), across), 1);
  assert.equal(indexAt(times, 0, across), 0);
  assert.equal(indexAt(times, 9999, across), 2);
  assert.equal(indexAt(times, 9999, upwards), 0);
  assert.equal(indexAt(times, 0, upwards), 2);
});

test("left and right go along the valid axis, up and down along the recorded one", () => {
  assert.deepEqual(moved([2, 20], "ArrowLeft", sizes), [1, 20]);
  assert.deepEqual(moved([2, 20], "ArrowRight", sizes), [3, 20]);
  assert.deepEqual(moved([2, 20], "ArrowUp", sizes), [2, 21]);
  assert.deepEqual(moved([2, 20], "ArrowDown", sizes), [2, 19]);
  assert.deepEqual(moved([2, 20], "PageUp", sizes), [2, 24]);
  assert.deepEqual(moved([2, 20], "PageDown", sizes), [2, 16]);
  assert.deepEqual(moved([2, 20], "Home", sizes), [0, 20]);
  assert.deepEqual(moved([2, 20], "End", sizes), [4, 20]);
});

test("no key leads out of the picture", () => {
  for (const key of ["ArrowLeft", "ArrowDown", "PageDown", "Home"]) assert.deepEqual(moved([0, 0], key, sizes), [0, 0]);
  for (const key of ["ArrowRight", "ArrowUp", "PageUp", "End"]) assert.deepEqual(moved([4, 39], key, sizes), [4, 39]);
  assert.deepEqual(moved([0, 0], "PageUp", [1, 1]), [0, 0]);
});

test("other keys are left to the page", () => {
  for (const key of ["Tab", "Enter", "a", "toString", "constructor"]) assert.equal(moved([2, 20], key, sizes), null);
});
