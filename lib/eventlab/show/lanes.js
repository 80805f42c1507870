// The lanes widget: partitions as lanes, records in the order in which a consumer read them, and between them the marks of
// the log. One canvas shows all entries (records and marks), one those around the cursor. All entries are drawn once, as
// read and as not read yet; a step of the cursor only puts the two together, so ten thousand records step as forty do.
// Everything that can be computed without a page is exported and tested.

const GUTTER = 92; // room for the names of the partitions
const CELL = 112; // width of an entry in the view around the cursor
const WHOLE = { lane: 20, pad: 3 };
const NEAR_HEIGHT = 216; // of the view around the cursor, shared by the lanes …
const [THINNEST, THICKEST] = [20, 36]; // … within these
const TWO_LINES = 30; // a lane this thick has room for them
const PLAY_MS = 12000; // a whole history plays in 12 s …
const SLOWEST_MS = 500; // … or half a second per entry, whichever is shorter
const MOST_ROWS = 12; // of the table
const MOST_STEPS = 400; // of the line through a story: the last ones read
const ROOM = 24; // pixels that a version, or a sign, needs
const WRONG = "#d55e00";
const FONT = "12px system-ui, sans-serif";
// How the marks of the log are drawn: their line is told apart by its pattern, and by the letters beside it.
const LINES = {
  commit: { dash: [], width: 1 },
  abort: { dash: [2, 2], width: 2 },
  "no record": { dash: [1, 3], width: 1 },
  "last stable offset": { dash: [6, 3], width: 2 },
  "high watermark": { dash: [], width: 3 },
};

const NAMED = new Set(["last stable offset", "high watermark"]); // also where all entries are seen

/** The entries, as [from, to), that fit around `cursor` when `size` fit at once; never past an end when avoidable. */
export function windowAround(cursor, total, size) {
  const shown = Math.min(size, total);
  const from = Math.min(Math.max(cursor - Math.floor(shown * 0.7), 0), total - shown);
  return [from, from + shown];
}

/** The entry under `x`, `y` of a view that shows [from, to) on `width`, or -1. */
export function entryAt(x, y, { lane }, [from, to], width, lanes) {
  const index = from + Math.floor(((x - GUTTER) / (width - GUTTER)) * (to - from));
  return x >= GUTTER && index < to && Math.floor(y / lane) === lanes[index] ? index : -1;
}

/** The entries of `key` that were read up to `cursor`, newest last, at most `most`; of all keys when `key` is -1. */
export function readSoFar(keys, key, cursor, most) {
  const found = [];
  for (let index = cursor; index >= 0 && found.length < most; index--) {
    if (key === -1 || keys[index] === key) found.push(index);
  }
  return found.reverse();
}

/** The last `most` records of `key` that were read up to `cursor`, in the order of versions: the way the line goes. */
export function storyOf(entries, key, cursor, most = MOST_STEPS) {
  const story = readSoFar(entries.key, key, cursor, most);
  return story.sort((a, b) => entries.version[a] - entries.version[b] || a - b);
}

/** The next entry with a sign, of `key` (or any, when -1), from `cursor` in `direction` 1 or -1; -1 when there is none. */
export function nextWrong(entries, key, cursor, direction) {
  for (let index = cursor + direction; index >= 0 && index < entries.flags.length; index += direction) {
    if (entries.flags[index] && (key === -1 || entries.key[index] === key)) return index;
  }
  return -1;
}

/** Of entries at these places, in this order, those that can carry a word without touching the one before in their lane. */
export function apart(indices, left, lanes, room) {
  const taken = new Map();
  return indices.filter((index) => {
    const last = taken.get(lanes[index]);
    if (last !== undefined && Math.abs(left(index) - last) < room) return false;
    taken.set(lanes[index], left(index));
    return true;
  });
}

/** The lanes of the view around the cursor: thick enough for two lines of words when there are few of them. */
export function nearView(partitions) {
  return { lane: Math.max(Math.min(NEAR_HEIGHT / partitions, THICKEST), THINNEST), pad: 2 };
}

/** The signs of what is wrong with an entry: ▲, ◆, … */
export function signsOf(entries, names, index) {
  return names.flags.map(({ sign }, place) => ((entries.flags[index] >> place) & 1 ? sign : "")).join("");
}

/** What is wrong with an entry, in words: a list, empty when nothing is. */
export function faultsOf(entries, names, index) {
  return names.flags.filter((_, place) => (entries.flags[index] >> place) & 1).map(({ says }) => says);
}

/** The offset of an entry, or both ends of a place without records. */
export function offsetOf({ offset, last }, index) {
  return offset[index] === last[index] ? `${offset[index]}` : `${offset[index]}–${last[index]}`;
}

/** One entry in words. */
export function inWords(entries, names, index) {
  const { partition, key, version, label, kind } = entries;
  const place = `partition ${names.partitions[partition[index]]}, offset ${offsetOf(entries, index)}`;
  if (kind[index]) return `${label[index]}, ${place}`;
  const what = `${names.keys[key[index]]} version ${version[index]}, ${label[index]}`;
  return [what, place, ...faultsOf(entries, names, index)].join(", ");
}

/** How many entries to advance after `ms` of playing. */
export function pace(total, ms) {
  return ms / Math.min(PLAY_MS / total, SLOWEST_MS);
}

/** `text` cut with an ellipsis until `measure(text)` fits into `room`. */
export function fitted(text, room, measure) {
  if (measure(text) <= room) return text;
  let end = text.length;
  while (end > 0 && measure(`${text.slice(0, end)}…`) > room) end--;
  return end ? `${text.slice(0, end)}…` : "";
}

/** What text of this colour stands out from on any background: the other end of light and dark. */
export function haloOf(ink) {
  const [red, green, blue] = ink.match(/\d+/g).map(Number);
  return (red + green + blue) / 3 < 128 ? "#ffffffd0" : "#000000d0";
}

/** Text that can be read on a record, too. */
function write(pen, { ink }, text, x, y) {
  pen.lineWidth = 3;
  pen.lineJoin = "round";
  pen.strokeStyle = haloOf(ink);
  pen.strokeText(text, x, y);
  pen.fillStyle = ink;
  pen.fillText(text, x, y);
}

/** The lanes and their names. */
function drawLanes(pen, { names, ink }, { lane }, width) {
  pen.fillStyle = ink;
  names.partitions.forEach((name, place) => {
    pen.globalAlpha = 1;
    pen.fillText(`partition ${name}`, 0, (place + 0.5) * lane);
    pen.globalAlpha = place % 2 ? 0.03 : 0.08;
    pen.fillRect(GUTTER, place * lane, width - GUTTER, lane);
  });
}

/** All entries on `width`, as they look when read, or, with `read` false, as what is still to come. */
export function drawWhole(pen, scene, width, read) {
  const { entries, names, colour, chosen } = scene;
  const { lane, pad } = WHOLE;
  const total = entries.kind.length;
  const step = (width - GUTTER) / total;
  const left = (index) => GUTTER + index * step;
  const top = (index) => entries.partition[index] * lane;
  const dim = (index) => chosen !== -1 && entries.key[index] !== chosen;
  const [marks, wrong] = [[], []];
  for (let index = 0; index < total; index++) {
    if (entries.kind[index]) marks.push(index);
    else {
      if (entries.flags[index]) wrong.push(index);
      pen.globalAlpha = !read ? 0.1 : dim(index) ? 0.25 : 1;
      pen.fillStyle = colour(entries.key[index]);
      pen.fillRect(left(index), top(index) + pad, Math.max(step - 1, 1), lane - 2 * pad);
    }
  }
  for (const index of marks) drawMark(pen, scene, index, left(index) + step / 2, WHOLE, read);
  pen.globalAlpha = read ? 1 : 0.3;
  const ends = marks.filter((index) => NAMED.has(entries.kind[index]));
  pen.textAlign = "right"; // there is room on that side, also of the last mark
  for (const index of apart(ends.reverse(), left, entries.partition, ROOM)) {
    write(pen, scene, names.marks[entries.kind[index]], left(index) + step / 2 - 3, top(index) + lane / 2);
  }
  pen.textAlign = "left";
  if (!read) return;
  pen.textAlign = "center";
  pen.fillStyle = WRONG;
  // Those of the chosen key come last, on top of the others.
  for (const some of [wrong.filter(dim), wrong.filter((index) => !dim(index))]) {
    for (const index of apart(some, left, entries.partition, ROOM / 3)) {
      pen.globalAlpha = dim(index) ? 0.4 : 1;
      pen.fillText(signsOf(entries, names, index), left(index) + step / 2, top(index) + lane - 5);
    }
  }
  pen.textAlign = "left";
}

/** A mark of the log: a line across its lane. */
function drawMark(pen, { entries, ink }, index, x, { lane }, read) {
  const { dash, width } = LINES[entries.kind[index]];
  pen.globalAlpha = read ? 1 : 0.3;
  pen.strokeStyle = ink;
  pen.lineWidth = width;
  pen.setLineDash(dash);
  pen.beginPath();
  pen.moveTo(x, entries.partition[index] * lane);
  pen.lineTo(x, (entries.partition[index] + 1) * lane);
  pen.stroke();
  pen.setLineDash([]);
}

/** The entries [from, to) with their words. */
export function drawNear(pen, scene, view, [from, to], width, cursor) {
  const { entries, names, colour, ink, chosen } = scene;
  const step = (width - GUTTER) / (to - from);
  const wide = Math.max(step - 1, 1);
  const high = view.lane - 2 * view.pad;
  drawLanes(pen, scene, view, width);
  for (let index = from; index < to; index++) {
    const left = GUTTER + (index - from) * step;
    const top = entries.partition[index] * view.lane + view.pad;
    const mark = entries.kind[index];
    const dim = !mark && chosen !== -1 && chosen !== entries.key[index];
    const ahead = index > cursor;
    let who = `offset ${offsetOf(entries, index)}`;
    if (mark) drawMark(pen, scene, index, left + 2, view, !ahead);
    else {
      who = `${names.keys[entries.key[index]]} · v${entries.version[index]}`;
      pen.fillStyle = colour(entries.key[index]);
      pen.globalAlpha = ahead ? 0.1 : dim ? 0.25 : 0.3; // words stand on it
      pen.fillRect(left, top, wide, high);
      pen.globalAlpha = ahead ? 0.1 : dim ? 0.8 : 1;
      pen.fillRect(left, top, 4, high);
    }
    pen.globalAlpha = ahead ? 0.1 : dim ? 0.8 : 1;
    pen.fillStyle = ink;
    const first = mark ? entries.label[index] : `${signsOf(entries, names, index)} ${who}`.trimStart();
    const second = mark ? who : entries.label[index];
    const lines = view.lane < TWO_LINES ? [`${first} ${second}`] : [first, second];
    const fit = (text) => fitted(text, wide - 10, (part) => pen.measureText(part).width);
    lines.forEach((text, line) => pen.fillText(fit(text), left + 8, top + (high * (line + 0.5)) / lines.length));
    if (entries.flags[index] && !ahead) {
      pen.globalAlpha = dim ? 0.4 : 1;
      pen.strokeStyle = WRONG;
      pen.lineWidth = 2;
      pen.strokeRect(left + 1, top + 1, wide - 2, high - 2);
    }
  }
  pen.globalAlpha = 1;
}

/** A line through the records of one key by version: where it runs to the left, the consumer saw it the wrong way round. */
export function drawStory(pen, scene, story, width) {
  const { entries, ink } = scene;
  const step = (width - GUTTER) / entries.kind.length;
  const left = (index) => GUTTER + index * step;
  const middle = (index) => (entries.partition[index] + 0.5) * WHOLE.lane;
  for (const back of [false, true]) {
    pen.strokeStyle = back ? WRONG : ink;
    pen.setLineDash(back ? [5, 3] : []);
    pen.lineWidth = back ? 2.5 : 1.5;
    pen.beginPath();
    for (let at = 1; at < story.length; at++) {
      const [a, b] = [story[at - 1], story[at]];
      if (b < a !== back) continue;
      pen.moveTo(left(a) + step / 2, middle(a));
      pen.lineTo(left(b) + step / 2, middle(b));
    }
    pen.stroke();
  }
  pen.setLineDash([]);
  for (const index of apart(story, left, entries.partition, ROOM)) {
    write(pen, scene, `v${entries.version[index]}`, left(index) + step + 4, middle(index));
  }
}

const TEMPLATE = `
  <div class="controls">
    <button type="button" class="play" aria-pressed="false">▶ Play</button>
    <input type="range" step="1" min="0" aria-label="Records read">
    <output></output>
    <span class="at"></span>
    <span class="jump">
      <button type="button" class="back" aria-label="Previous mistake">◀ mistake</button>
      <button type="button" class="on" aria-label="Next mistake">mistake ▶</button>
    </span>
    <label>Highlight <select><option value="-1">all keys</option></select></label>
  </div>
  <canvas class="whole" role="img"></canvas>
  <canvas class="near" aria-hidden="true"></canvas>
  <p class="legend"></p>
  <table><caption></caption>
    <thead><tr>${["read", "key", "version", "record", "partition", "offset", "time", ""]
      .map((name) => `<th scope="col">${name}</th>`)
      .join("")}</tr></thead><tbody></tbody></table>`;

function render({ model, el }) {
  const entries = model.get("_entries");
  const names = model.get("_names");
  const palette = model.get("_palette");
  const total = entries.kind.length;
  const records = entries.read[total - 1];
  const nearLanes = nearView(names.partitions.length);
  el.classList.add("eventlab", "lanes");
  el.innerHTML = TEMPLATE;
  // JupyterLab would take the arrow keys for its own: this attribute tells it to leave them to the element in focus.
  for (const control of el.querySelectorAll("button, input, select")) control.dataset.lmSuppressShortcuts = "true";
  const find = (selector) => el.querySelector(selector);
  const [slider, select, play] = [find("input"), find("select"), find(".play")];
  const [whole, near] = [find(".whole"), find(".near")];
  slider.max = total - 1;
  select.append(...names.keys.map((name, key) => new Option(`${name} ${names.signs[key]}`.trimEnd(), key)));
  find(".legend").innerHTML = legend(entries, names);
  find(".jump").hidden = !entries.flags.some((flags) => flags);

  const chosenKey = () => names.keys.indexOf(model.get("highlight"));
  const colour = (key) => palette[key % palette.length];

  // A canvas as large as `like` is on the screen, its pen ready, the old picture gone.
  const sized = (canvas, width, height) => {
    const scale = window.devicePixelRatio || 1;
    [canvas.width, canvas.height] = [Math.round(width * scale), Math.round(height * scale)];
    const pen = canvas.getContext("2d");
    pen.scale(scale, scale);
    pen.font = FONT;
    pen.textBaseline = "middle";
    return pen;
  };

  const height = names.partitions.length * WHOLE.lane;
  const layers = { of: "", read: document.createElement("canvas"), ahead: document.createElement("canvas") };
  const drawLayers = (scene, width) => {
    const of = [width, window.devicePixelRatio, scene.ink, scene.chosen].join();
    if (layers.of === of) return;
    layers.of = of;
    drawWhole(sized(layers.read, width, height), scene, width, true);
    drawWhole(sized(layers.ahead, width, height), scene, width, false);
  };

  const showWhole = (scene, cursor, [from, to]) => {
    const width = whole.clientWidth;
    if (width <= GUTTER) return; // not on the screen yet
    drawLayers(scene, width);
    const pen = sized(whole, width, height);
    whole.style.height = `${height}px`;
    drawLanes(pen, scene, WHOLE, width);
    pen.globalAlpha = 1;
    const step = (width - GUTTER) / total;
    const edge = GUTTER + (cursor + 1) * step;
    for (const [layer, x, wide] of [
      [layers.read, 0, edge],
      [layers.ahead, edge, width - edge],
    ]) {
      pen.save();
      pen.beginPath();
      pen.rect(x, 0, wide, height);
      pen.clip();
      pen.drawImage(layer, 0, 0, width, height);
      pen.restore();
    }
    if (scene.chosen !== -1) drawStory(pen, scene, storyOf(entries, scene.chosen, cursor), width);
    pen.strokeStyle = scene.ink;
    pen.lineWidth = 1.5;
    pen.beginPath();
    pen.moveTo(edge, 0);
    pen.lineTo(edge, height);
    pen.stroke();
    if (to - from < total) {
      // Where the view below looks.
      pen.globalAlpha = 0.5;
      pen.lineWidth = 1;
      pen.strokeRect(GUTTER + from * step, 0.5, (to - from) * step, height - 1);
    }
  };

  const showNear = (scene, cursor, span) => {
    if (near.clientWidth <= GUTTER) return;
    const tall = names.partitions.length * nearLanes.lane;
    const pen = sized(near, near.clientWidth, tall);
    near.style.height = `${tall}px`;
    drawNear(pen, scene, nearLanes, span, near.clientWidth, cursor);
    pen.strokeStyle = scene.ink;
    pen.lineWidth = 1.5;
    const edge = GUTTER + ((cursor + 1 - span[0]) * (near.clientWidth - GUTTER)) / (span[1] - span[0]);
    pen.beginPath();
    pen.moveTo(edge, 0);
    pen.lineTo(edge, tall);
    pen.stroke();
  };

  const nearby = () => windowAround(model.get("cursor"), total, Math.max(Math.floor((near.clientWidth - GUTTER) / CELL), 1));

  const show = () => {
    const cursor = model.get("cursor");
    const chosen = chosenKey();
    slider.value = cursor;
    slider.setAttribute("aria-valuetext", `Record ${entries.read[cursor]} of ${records}: ${inWords(entries, names, cursor)}`);
    find("output").textContent = `record ${entries.read[cursor]} of ${records}`;
    find(".at").textContent = entries.time[cursor];
    find(".back").disabled = nextWrong(entries, chosen, cursor, -1) === -1;
    find(".on").disabled = nextWrong(entries, chosen, cursor, 1) === -1;
    if (select.value !== String(chosen)) select.value = chosen;
    whole.setAttribute("aria-label", model.get("_alt"));
    const scene = { entries, names, colour, chosen, ink: getComputedStyle(el).color };
    const span = nearby();
    showWhole(scene, cursor, span);
    showNear(scene, cursor, span);
    const rows = readSoFar(entries.key, chosen, cursor, MOST_ROWS);
    find("caption").textContent = chosen === -1 ? `The last ${rows.length} records read` : `What was read of ${names.keys[chosen]}`;
    find("tbody").replaceChildren(...rows.map(row));
    // The page under the widget must not jump up and down while it plays.
    el.style.minHeight = `${Math.max(parseFloat(el.style.minHeight) || 0, el.offsetHeight)}px`;
  };

  const row = (index) => {
    const line = document.createElement("tr");
    const who = entries.kind[index] ? ["", "", ""] : [entries.read[index], names.keys[entries.key[index]], entries.version[index]];
    const place = [names.partitions[entries.partition[index]], offsetOf(entries, index), entries.time[index]];
    const faults = `${signsOf(entries, names, index)} ${faultsOf(entries, names, index).join(", ")}`.trim();
    for (const text of [...who, entries.label[index], ...place, faults]) line.insertCell().textContent = text;
    return line;
  };

  let frame = 0;
  const redraw = () => {
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(show);
  };
  const go = (cursor) => {
    model.set("cursor", Math.min(Math.max(cursor, 0), total - 1));
    model.save_changes();
  };
  const choose = (key) => {
    model.set("highlight", names.keys[key] ?? "");
    model.save_changes();
  };
  const jump = (direction) => {
    const index = nextWrong(entries, chosenKey(), model.get("cursor"), direction);
    if (index !== -1) go(index);
  };

  let playing = 0;
  const stop = () => {
    cancelAnimationFrame(playing);
    playing = 0;
    play.textContent = "▶ Play";
    play.setAttribute("aria-pressed", "false");
    model.save_changes();
  };
  const start = () => {
    const from = model.get("cursor") >= total - 1 ? 0 : model.get("cursor");
    const began = performance.now();
    const advance = (now) => {
      const cursor = Math.min(from + Math.floor(pace(total, Math.max(now - began, 0))), total - 1);
      model.set("cursor", cursor);
      if (cursor >= total - 1) stop();
      else playing = requestAnimationFrame(advance);
    };
    play.textContent = "❚❚ Pause";
    play.setAttribute("aria-pressed", "true");
    playing = requestAnimationFrame(advance);
  };
  const halt = () => {
    if (playing) stop();
  };

  play.addEventListener("click", () => (playing ? stop() : start()));
  slider.addEventListener("input", () => {
    halt();
    go(slider.valueAsNumber);
  });
  for (const [selector, direction] of [
    [".back", -1],
    [".on", 1],
  ]) {
    find(selector).addEventListener("click", () => {
      halt();
      jump(direction);
    });
  }
  select.addEventListener("change", () => choose(Number(select.value)));
  const clicked = (canvas, view, span) => (event) => {
    const index = entryAt(event.offsetX, event.offsetY, view, span(), canvas.clientWidth, entries.partition);
    if (index !== -1 && !entries.kind[index]) choose(entries.key[index]);
  };
  whole.addEventListener("click", clicked(whole, WHOLE, () => [0, total]));
  near.addEventListener("click", clicked(near, nearLanes, nearby));
  const resized = new ResizeObserver(redraw);
  resized.observe(el);
  // A canvas keeps the ink it was drawn with: JupyterLab and VS Code say on the body that the theme is another.
  const themed = new MutationObserver(redraw);
  themed.observe(document.body, { attributes: true });
  model.on("change:cursor", redraw);
  model.on("change:highlight", redraw);
  model.on("change:_alt", redraw);
  redraw();
  return () => {
    cancelAnimationFrame(frame);
    cancelAnimationFrame(playing);
    resized.disconnect();
    themed.disconnect();
    for (const name of ["cursor", "highlight", "_alt"]) model.off(`change:${name}`, redraw);
  };
}

/** What the signs and lines mean that are in this picture, as HTML. */
export function legend(entries, names) {
  const every = entries.flags.reduce((all, flags) => all | flags, 0);
  const flags = names.flags.filter((_, place) => (every >> place) & 1);
  const kinds = Object.keys(names.marks).filter((kind) => entries.kind.includes(kind));
  return [
    ...flags.map(({ sign, says }) => `<span class="mark">${sign}</span> ${says}`),
    ...kinds.map((kind) => `${line(LINES[kind])} ${names.marks[kind]} ${kind}`),
  ].join(" · ");
}

const line = ({ dash, width }) =>
  `<svg class="line" viewBox="0 0 16 12" aria-hidden="true"><path d="M8 0V12" stroke="currentColor" stroke-width="${width}" stroke-dasharray="${dash.join(" ")}"/></svg>`;

export default { render };
