import assert from "node:assert/strict";
import { test } from "node:test";
import { fitted, inWords, nearView, pace, readSoFar, recordAt, storyOf, windowAround } from "../../lib/eventlab/show/lanes.js";

test("the window holds the cursor, has its full size and stays inside, wherever the cursor is", () => {
  for (const total of [1, 7, 40, 1000])
    for (let cursor = 0; cursor < total; cursor++) {
      const [from, to] = windowAround(cursor, total, 7);
      assert.ok(from >= 0 && from <= cursor && cursor < to && to <= total);
      assert.equal(to - from, Math.min(7, total));
    }
});

test("a click finds the record drawn there, and nothing in an empty place of its column", () => {
  const [view, lanes, width] = [{ lane: 20 }, [2, 0, 1, 2], 92 + 400];
  assert.equal(recordAt(92 + 50, 45, view, [0, 4], width, lanes), 0);
  assert.equal(recordAt(92 + 150, 5, view, [0, 4], width, lanes), 1);
  assert.equal(recordAt(92 + 150, 45, view, [0, 4], width, lanes), -1);
  assert.equal(recordAt(92 + 50, 25, view, [2, 4], width, lanes), 2);
});

test("a click on the name of a lane, or past the last record, finds none", () => {
  assert.equal(recordAt(50, 5, { lane: 20 }, [0, 4], 492, [0, 0, 0, 0]), -1);
  assert.equal(recordAt(492, 5, { lane: 20 }, [0, 4], 492, [0, 0, 0, 0]), -1);
});

test("only what was read up to the cursor shows, newest last, at most so many", () => {
  const keys = [0, 1, 0, 1, 0, 0];
  assert.deepEqual(readSoFar(keys, 0, 4, 10), [0, 2, 4]);
  assert.deepEqual(readSoFar(keys, 0, 5, 2), [4, 5]);
  assert.deepEqual(readSoFar(keys, -1, 2, 10), [0, 1, 2]);
  assert.deepEqual(readSoFar(keys, 1, 0, 10), []);
});

test("a story goes by version, so a step to an earlier record is one that was read the wrong way round", () => {
  const records = { key: [7, 3, 7, 7], version: [3, 1, 1, 2] };
  assert.deepEqual(storyOf(records, 7, 3), [2, 3, 0]);
  assert.deepEqual(storyOf(records, 7, 2), [2, 0]);
});

test("a duplicate version stays in the order of reading", () => {
  assert.deepEqual(storyOf({ key: [1, 1, 1], version: [1, 2, 1] }, 1, 2), [0, 2, 1]);
});

test("a record in words says all that its place and colour say", () => {
  const records = { partition: [1], key: [0], version: [2], label: ["added"], offset: [9], inverted: [true] };
  const names = { keys: ["cart-17"], partitions: [0, 4] };
  assert.equal(inWords(records, names, 0), "cart-17 version 2, added, partition 4, offset 9, out of order");
});

test("a long history plays in twelve seconds, a short one at two records a second", () => {
  assert.equal(pace(5000, 12000), 5000);
  assert.equal(pace(4, 1000), 2);
});

test("text is cut to its room with an ellipsis, and to nothing where not even that fits", () => {
  const measure = (text) => text.length;
  assert.equal(fitted("added", 5, measure), "added");
  assert.equal(fitted("checked out", 5, measure), "chec…");
  assert.equal(fitted("checked out", 1, measure), "");
});

test("many lanes are thin, so that the view does not fill the screen, and few are not fat", () => {
  assert.equal(nearView(1).lane, 36);
  assert.equal(nearView(6).lane, 36);
  assert.equal(nearView(9).lane, 24);
  assert.equal(nearView(50).lane, 20);
});
