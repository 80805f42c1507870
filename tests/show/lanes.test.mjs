import assert from "node:assert/strict";
import { test } from "node:test";
import {
  apart,
  drawNear,
  drawStory,
  drawWhole,
  entryAt,
  faultsOf,
  fitted,
  haloOf,
  inWords,
  legend,
  nearView,
  nextWrong,
  pace,
  readSoFar,
  signsOf,
  storyOf,
  windowAround,
} from "../../lib/eventlab/show/lanes.js";

const FLAGS = [
  { sign: "▲", says: "out of order" },
  { sign: "◆", says: "read before" },
];
const MARKS = { commit: "C", "high watermark": "HW" };

/** As many records as there are versions, of these keys, on these partitions, with nothing wrong; `change` mends that. */
function entriesOf(version, change = {}) {
  const all = (value) => version.map(() => value);
  const offset = version.map((_, index) => index);
  return { version, offset, last: change.offset ?? offset, key: all(0), partition: all(0), label: all("added"), kind: all(""), flags: all(0), ...change };
}

/** What a canvas would be told: how often each method was called, all texts, and the dashes of each stroke. */
function recordingPen() {
  const told = { calls: 0, texts: [], dashes: [], images: 0 };
  let dash = [];
  const pen = {
    fillRect: () => told.calls++,
    strokeRect: () => told.calls++,
    strokeText: () => told.calls++,
    fillText: (text) => told.calls++ && told.texts.push(text),
    measureText: (text) => ({ width: text.length * 6 }),
    setLineDash: (pattern) => (dash = pattern),
    stroke: () => told.calls++ && told.dashes.push(dash.join()),
    moveTo: () => told.calls++,
    lineTo: () => told.calls++,
    beginPath: () => {},
  };
  told.calls = 1; // so that `calls++` is never falsy
  return { pen, told };
}

const sceneOf = (entries, chosen = -1) => ({
  entries,
  names: { keys: ["cart-1", "cart-2"], partitions: [0, 1], flags: FLAGS, marks: MARKS },
  colour: (key) => ["#0072B2", "#E69F00"][key],
  ink: "rgb(0, 0, 0)",
  chosen,
});

test("the window holds the cursor, has its full size and stays inside, wherever the cursor is", () => {
  for (const total of [1, 7, 40, 1000])
    for (let cursor = 0; cursor < total; cursor++) {
      const [from, to] = windowAround(cursor, total, 7);
      assert.ok(from >= 0 && from <= cursor && cursor < to && to <= total);
      assert.equal(to - from, Math.min(7, total));
    }
});

test("a click finds the entry drawn there, and nothing in an empty place of its column", () => {
  const [view, lanes, width] = [{ lane: 20 }, [2, 0, 1, 2], 92 + 400];
  assert.equal(entryAt(92 + 50, 45, view, [0, 4], width, lanes), 0);
  assert.equal(entryAt(92 + 150, 5, view, [0, 4], width, lanes), 1);
  assert.equal(entryAt(92 + 150, 45, view, [0, 4], width, lanes), -1);
  assert.equal(entryAt(92 + 50, 25, view, [2, 4], width, lanes), 2);
});

test("a click on the name of a lane, or past the last entry, finds none", () => {
  assert.equal(entryAt(50, 5, { lane: 20 }, [0, 4], 492, [0, 0, 0, 0]), -1);
  assert.equal(entryAt(492, 5, { lane: 20 }, [0, 4], 492, [0, 0, 0, 0]), -1);
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

test("a record in words says all that its place, colour and signs say, and a mark what it is and where", () => {
  const entries = entriesOf([2, 0], { offset: [9, 10], flags: [3, 0], kind: ["", "commit"], label: ["added", "commit marker"] });
  const { names } = sceneOf(entries);
  assert.equal(inWords(entries, names, 0), "cart-1 version 2, added, partition 0, offset 9, out of order, read before");
  assert.equal(inWords(entries, names, 1), "commit marker, partition 0, offset 10");
  assert.equal(signsOf(entries, names, 0), "▲◆");
  assert.deepEqual(faultsOf(entries, names, 1), []);
});

test("a place of several offsets without a record says both ends", () => {
  const entries = entriesOf([0], { offset: [3], last: [5], kind: ["no record"], label: ["no record"] });
  assert.equal(inWords(entries, sceneOf(entries).names, 0), "no record, partition 0, offset 3–5");
});

test("words on a record are set off from it, whatever the theme", () => {
  assert.equal(haloOf("rgb(33, 33, 33)"), "#ffffffd0");
  assert.equal(haloOf("rgba(255, 255, 255, 0.87)"), "#000000d0");
});

test("of a long story the line shows the last steps", () => {
  const version = Array.from({ length: 10000 }, (_, index) => index + 1);
  const story = storyOf(entriesOf(version), 0, 9999, 400);
  assert.deepEqual([story.length, story[0], story.at(-1)], [400, 9600, 9999]);
});

test("the next mistake is found both ways, of any key or of one, and none behind the last", () => {
  const entries = entriesOf([1, 2, 3, 4], { flags: [0, 1, 0, 2], key: [0, 0, 0, 1] });
  assert.equal(nextWrong(entries, -1, 0, 1), 1);
  assert.equal(nextWrong(entries, -1, 1, 1), 3);
  assert.equal(nextWrong(entries, 0, 1, 1), -1);
  assert.equal(nextWrong(entries, -1, 3, -1), 1);
  assert.equal(nextWrong(entries, -1, 1, -1), -1);
});

test("words of one lane keep apart; those of another lane do not matter", () => {
  const left = (index) => index * 10;
  assert.deepEqual(apart([0, 1, 2, 3, 5], left, [0, 1, 0, 0, 0, 0], 25), [0, 1, 3]);
  assert.deepEqual(apart([3, 2, 0], left, [0, 0, 0, 0], 25), [3, 0]);
});

test("the legend names the signs and lines of this picture and no others", () => {
  const { names } = sceneOf({});
  const plain = legend(entriesOf([1, 2]), names);
  assert.equal(plain, "");
  const told = legend(entriesOf([1, 2, 0], { flags: [0, 2, 0], kind: ["", "", "high watermark"] }), names);
  assert.match(told, /◆<\/span> read before/);
  assert.match(told, /HW high watermark/);
  assert.doesNotMatch(told, /out of order|commit/);
});

test("every mark is drawn as a line of its own pattern, and the ends of a lane are named", () => {
  const entries = entriesOf([1, 0, 0], { kind: ["", "abort", "high watermark"] });
  const { pen, told } = recordingPen();
  drawWhole(pen, sceneOf(entries), 500, true);
  assert.deepEqual(told.dashes, ["2,2", ""]);
  assert.deepEqual(told.texts, ["HW"]);
});

test("a wrong record shows its signs when it is read, not before", () => {
  const entries = entriesOf([2, 1], { flags: [0, 1] });
  for (const [read, texts] of [
    [true, ["▲"]],
    [false, []],
  ]) {
    const { pen, told } = recordingPen();
    drawWhole(pen, sceneOf(entries), 500, read);
    assert.deepEqual(told.texts, texts);
  }
});

test("the view around the cursor has the words of records and marks", () => {
  const entries = entriesOf([1, 0], { kind: ["", "commit"], label: ["added", "commit marker"], flags: [1, 0] });
  const { pen, told } = recordingPen();
  drawNear(pen, sceneOf(entries), nearView(2), [0, 2], 500, 1);
  assert.deepEqual(told.texts, ["partition 0", "partition 1", "▲ cart-1 · v1", "added", "commit marker", "offset 1"]);
});

test("what one step draws does not grow with the history", () => {
  const drawn = (total) => {
    const version = Array.from({ length: total }, (_, index) => index + 1);
    const entries = entriesOf(version, { flags: version.map(() => 1) });
    const { pen, told } = recordingPen();
    const scene = sceneOf(entries, 0);
    drawNear(pen, scene, nearView(2), windowAround(total - 1, total, 8), 1000, total - 1);
    drawStory(pen, scene, storyOf(entries, 0, total - 1), 1000);
    return told.calls;
  };
  assert.ok(drawn(10000) <= drawn(1000));
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
