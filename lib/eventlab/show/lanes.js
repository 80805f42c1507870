// The lanes widget: partitions as lanes, records in the order in which a consumer read them. One canvas draws both views,
// all records and those around the cursor; everything that can be computed without a page is exported and tested.

const GUTTER = 92; // room for the names of the partitions
const CELL = 112; // width of a record in the view around the cursor
const WHOLE = { lane: 20, pad: 3 };
const NEAR_HEIGHT = 216; // of the view around the cursor, shared by the lanes …
const [THINNEST, THICKEST] = [20, 36]; // … within these
const TWO_LINES = 30; // a lane this thick has room for them
const PLAY_MS = 12000; // a whole history plays in 12 s …
const SLOWEST_MS = 500; // … or half a second per record, whichever is shorter
const MOST_ROWS = 12; // of the table
const WRONG = "#d55e00";
const FONT = "12px system-ui, sans-serif";

/** The records, as [from, to), that fit around `cursor` when `size` fit at once; never past an end when avoidable. */
export function windowAround(cursor, total, size) {
  const shown = Math.min(size, total);
  const from = Math.min(Math.max(cursor - Math.floor(shown * 0.7), 0), total - shown);
  return [from, from + shown];
}

/** The record under `x`, `y` of a view that shows [from, to) on `width`, or -1. */
export function recordAt(x, y, { lane }, [from, to], width, lanes) {
  const index = from + Math.floor(((x - GUTTER) / (width - GUTTER)) * (to - from));
  return x >= GUTTER && index < to && Math.floor(y / lane) === lanes[index] ? index : -1;
}

/** The records of `key` that were read up to `cursor`, newest last, at most `most`; of all keys when `key` is -1. */
export function readSoFar(keys, key, cursor, most) {
  const found = [];
  for (let index = cursor; index >= 0 && found.length < most; index--) {
    if (key === -1 || keys[index] === key) found.push(index);
  }
  return found.reverse();
}

/** The records of `key` that were read up to `cursor`, in the order of their versions: the way the arrows go. */
export function storyOf(records, key, cursor) {
  const story = readSoFar(records.key, key, cursor, Infinity);
  return story.sort((a, b) => records.version[a] - records.version[b] || a - b);
}

/** The lanes of the view around the cursor: thick enough for two lines of words when there are few of them. */
export function nearView(partitions) {
  return { lane: Math.max(Math.min(NEAR_HEIGHT / partitions, THICKEST), THINNEST), pad: 2 };
}

/** One record in words. */
export function inWords(records, names, index) {
  const { partition, key, version, label, offset, inverted } = records;
  return (
    `${names.keys[key[index]]} version ${version[index]}, ${label[index]}, ` +
    `partition ${names.partitions[partition[index]]}, offset ${offset[index]}` +
    (inverted[index] ? ", out of order" : "")
  );
}

/** How many records to advance after `ms` of playing. */
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

const TEMPLATE = `
  <div class="controls">
    <button type="button" class="play" aria-pressed="false">▶ Play</button>
    <input type="range" step="1" min="0" aria-label="Records read">
    <output></output>
    <label>Highlight <select><option value="-1">all keys</option></select></label>
  </div>
  <canvas class="whole" role="img"></canvas>
  <canvas class="near" aria-hidden="true"></canvas>
  <p class="legend"><span class="mark">▲</span> out of order within its key</p>
  <table><caption></caption>
    <thead><tr>${["read", "key", "version", "record", "partition", "offset", "time", ""]
      .map((name) => `<th scope="col">${name}</th>`)
      .join("")}</tr></thead><tbody></tbody></table>`;

function render({ model, el }) {
  const records = model.get("_records");
  const names = model.get("_names");
  const palette = model.get("_palette");
  const total = records.key.length;
  const nearLanes = nearView(names.partitions.length);
  el.classList.add("eventlab", "lanes");
  el.innerHTML = TEMPLATE;
  // JupyterLab would take the arrow keys for its own: this attribute tells it to leave them to the element in focus.
  for (const control of el.querySelectorAll("button, input, select")) control.dataset.lmSuppressShortcuts = "true";
  const find = (selector) => el.querySelector(selector);
  const [slider, select, play] = [find("input"), find("select"), find(".play")];
  const [whole, near] = [find(".whole"), find(".near")];
  slider.max = total - 1;
  select.append(...names.keys.map((name, key) => new Option(names.marks[key] ? `${name} ▲` : name, key)));

  const colour = (key) => palette[key % palette.length];

  // Draws the records [from, to) and gives nothing back; `labels` says whether they are wide enough for words.
  const draw = (canvas, view, [from, to], labels) => {
    const width = canvas.clientWidth;
    const height = names.partitions.length * view.lane;
    const scale = window.devicePixelRatio || 1;
    canvas.width = width * scale;
    canvas.height = height * scale;
    canvas.style.height = `${height}px`;
    const ink = getComputedStyle(el).color;
    const cursor = model.get("cursor");
    const chosen = model.get("highlight");
    const chosenKey = names.keys.indexOf(chosen);
    const step = (width - GUTTER) / (to - from);
    const left = (index) => GUTTER + (index - from) * step;
    const middle = (index) => (records.partition[index] + 0.5) * view.lane;
    const pen = canvas.getContext("2d");
    pen.scale(scale, scale);
    pen.font = FONT;
    pen.textBaseline = "middle";
    pen.fillStyle = pen.strokeStyle = ink;
    names.partitions.forEach((name, lane) => {
      pen.globalAlpha = 1;
      pen.fillText(`partition ${name}`, 0, (lane + 0.5) * view.lane);
      pen.globalAlpha = lane % 2 ? 0.03 : 0.08;
      pen.fillRect(GUTTER, lane * view.lane, width - GUTTER, view.lane);
    });
    for (let index = from; index < to; index++) {
      const key = records.key[index];
      const top = records.partition[index] * view.lane + view.pad;
      const high = view.lane - 2 * view.pad;
      const wide = Math.max(step - 1, 1);
      const dim = chosenKey !== -1 && chosenKey !== key;
      pen.globalAlpha = index > cursor ? 0.1 : dim ? 0.25 : 1;
      pen.fillStyle = colour(key);
      if (labels && !dim) pen.globalAlpha *= 0.3; // words stand on it
      pen.fillRect(left(index), top, wide, high);
      if (labels) {
        pen.globalAlpha = index > cursor ? 0.1 : dim ? 0.8 : 1;
        pen.fillRect(left(index), top, 4, high);
        pen.fillStyle = ink;
        const fit = (text) => fitted(text, wide - 10, (part) => pen.measureText(part).width);
        const who = `${records.inverted[index] ? "▲ " : ""}${names.keys[key]} · v${records.version[index]}`;
        const lines = view.lane < TWO_LINES ? [`${who} ${records.label[index]}`] : [who, records.label[index]];
        lines.forEach((text, line) => pen.fillText(fit(text), left(index) + 8, top + (high * (line + 0.5)) / lines.length));
      }
      if (records.inverted[index] && index <= cursor) {
        pen.globalAlpha = dim ? 0.4 : 1;
        pen.strokeStyle = pen.fillStyle = WRONG;
        pen.lineWidth = 2;
        if (labels) pen.strokeRect(left(index) + 1, top + 1, wide - 2, high - 2);
        else {
          const x = left(index) + wide / 2;
          pen.beginPath();
          pen.moveTo(x - 4, top + high + view.pad);
          pen.lineTo(x + 4, top + high + view.pad);
          pen.lineTo(x, top + high - 4);
          pen.fill();
        }
      }
    }
    pen.globalAlpha = 1;
    if (chosenKey !== -1 && !labels) drawStory(pen, storyOf(records, chosenKey, cursor), left, step, middle, ink);
    pen.strokeStyle = ink;
    pen.lineWidth = 1.5;
    const edge = left(cursor + 1);
    pen.beginPath();
    pen.moveTo(edge, 0);
    pen.lineTo(edge, height);
    pen.stroke();
  };

  // A line through the records of one key by version: where it runs to the left, the consumer saw it the wrong way round.
  const drawStory = (pen, story, left, step, middle, ink) => {
    for (let at = 1; at < story.length; at++) {
      const [a, b] = [story[at - 1], story[at]];
      const back = b < a;
      pen.strokeStyle = back ? WRONG : ink;
      pen.setLineDash(back ? [5, 3] : []);
      pen.lineWidth = back ? 2.5 : 1.5;
      pen.beginPath();
      pen.moveTo(left(a) + step / 2, middle(a));
      pen.lineTo(left(b) + step / 2, middle(b));
      pen.stroke();
    }
    pen.setLineDash([]);
    pen.fillStyle = ink;
    for (const index of story) pen.fillText(`v${records.version[index]}`, left(index) + step + 4, middle(index));
  };

  const nearby = () => windowAround(model.get("cursor"), total, Math.max(Math.floor((near.clientWidth - GUTTER) / CELL), 1));

  const show = () => {
    const cursor = model.get("cursor");
    slider.value = cursor;
    slider.setAttribute("aria-valuetext", `Record ${cursor + 1} of ${total}: ${inWords(records, names, cursor)}`);
    find("output").textContent = `record ${cursor + 1} of ${total}`;
    const key = names.keys.indexOf(model.get("highlight"));
    select.value = key;
    whole.setAttribute("aria-label", model.get("_alt"));
    draw(whole, WHOLE, [0, total], false);
    draw(near, nearLanes, nearby(), true);
    const rows = readSoFar(records.key, key, cursor, MOST_ROWS);
    find("caption").textContent = key === -1 ? `The last ${rows.length} records read` : `What was read of ${names.keys[key]}`;
    find("tbody").replaceChildren(...rows.map(row));
    // The page under the widget must not jump up and down while it plays.
    el.style.minHeight = `${Math.max(parseFloat(el.style.minHeight) || 0, el.offsetHeight)}px`;
  };

  const row = (index) => {
    const line = document.createElement("tr");
    const cells = [index + 1, names.keys[records.key[index]], records.version[index], records.label[index]];
    cells.push(names.partitions[records.partition[index]], records.offset[index], records.time[index]);
    for (const text of [...cells, records.inverted[index] ? "▲ out of order" : ""]) line.insertCell().textContent = text;
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
    model.set("highlight", key === -1 ? "" : names.keys[key]);
    model.save_changes();
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

  play.addEventListener("click", () => (playing ? stop() : start()));
  slider.addEventListener("input", () => {
    if (playing) stop();
    go(slider.valueAsNumber);
  });
  select.addEventListener("change", () => choose(Number(select.value)));
  whole.addEventListener("click", (event) => {
    const index = recordAt(event.offsetX, event.offsetY, WHOLE, [0, total], whole.clientWidth, records.partition);
    if (index !== -1) choose(records.key[index]);
  });
  near.addEventListener("click", (event) => {
    const index = recordAt(event.offsetX, event.offsetY, nearLanes, nearby(), near.clientWidth, records.partition);
    if (index !== -1) choose(records.key[index]);
  });
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

export default { render };
