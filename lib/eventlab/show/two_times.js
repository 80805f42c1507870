// The picture of both times: what was believed (recorded time, upwards) about when (valid time, to the right). Python draws
// the picture once and describes one point at a time; this file moves the cursor and puts the description on the page.

/** The moments of one axis, in milliseconds since 1970, out of the bytes that came from Python. */
export function moments(view) {
  return new Float64Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
}

/** Where `time` stands on an axis of the picture, in the picture's own units; `from` and `to` may run either way. */
export function placeOf(time, { from, to, start, end }) {
  return from + ((time - start) / (end - start)) * (to - from);
}

/** The index of the last moment at or before what stands at `place`; 0 where all are later. */
export function indexAt(times, place, { from, to, start, end }) {
  const time = start + ((place - from) / (to - from)) * (end - start);
  return Math.max(times.findLastIndex((moment) => moment <= time), 0);
}

/** Where a key leads from `[valid, recorded]`, held inside `sizes`; null for a key that is none of ours. */
export function moved([valid, recorded], key, sizes) {
  const page = Math.max(Math.floor(sizes[1] / 10), 1);
  const steps = {
    ArrowLeft: [-1, 0],
    ArrowRight: [1, 0],
    ArrowDown: [0, -1],
    ArrowUp: [0, 1],
    Home: [-Infinity, 0],
    End: [Infinity, 0],
    PageDown: [0, -page],
    PageUp: [0, page],
  };
  if (!Object.hasOwn(steps, key)) return null;
  return [valid, recorded].map((place, axis) => Math.min(Math.max(place + steps[key][axis], 0), sizes[axis] - 1));
}

const control = (name, label) => `
  <div class="controls ${name}">
    <span class="axis">${label}</span>
    <button type="button" class="earlier" aria-label="${label}: one moment earlier">‹</button>
    <input type="range" step="1" min="0" aria-label="${label}">
    <button type="button" class="later" aria-label="${label}: one moment later">›</button>
    <output></output>
  </div>`;

const table = (name) => `
  <table class="${name}"><caption></caption>
    <thead><tr><th scope="col">happened</th><th scope="col">recorded</th><th scope="col">event</th></tr></thead><tbody></tbody></table>`;

const TEMPLATE = `
  <div class="chart" role="application" tabindex="0"></div>
  ${control("valid", "About")}${control("recorded", "Known at")}
  <p class="headline" aria-live="polite"></p>
  <p class="when"></p>
  <div class="panels">${table("later")}${table("known")}</div>`;

// Black in a dark theme too: the plane under it is light in both.
const CURSOR = `
  <line class="cursor valid" stroke="#000" stroke-width="1.5"></line>
  <line class="cursor recorded" stroke="#000" stroke-width="1.5"></line>
  <circle class="cursor" r="6" fill="#d55e00" stroke="#000"></circle>`;

function row(cells) {
  const line = document.createElement("tr");
  for (const text of cells) line.insertCell().textContent = text;
  return line;
}

function render({ model, el }) {
  const { alt, axes } = model.get("_shape");
  const names = ["valid", "recorded"];
  const times = names.map((name) => moments(model.get(`_${name}`)));
  const sizes = times.map((moments) => moments.length);
  el.classList.add("eventlab", "two-times");
  el.innerHTML = TEMPLATE;
  const find = (selector) => el.querySelector(selector);
  const chart = find(".chart");
  // JupyterLab would take the arrow keys for its own: this attribute tells it to leave them to the element in focus.
  for (const element of [chart, ...el.querySelectorAll("button, input")]) element.dataset.lmSuppressShortcuts = "true";
  chart.setAttribute("aria-label", alt);
  chart.innerHTML = model.get("_picture");
  const svg = find("svg");
  svg.insertAdjacentHTML("beforeend", CURSOR);
  const [x, y] = axes;
  const [about, known] = [find("line.valid"), find("line.recorded")];
  for (const [line, name, across] of [[about, "y", y], [known, "x", x]]) {
    line.setAttribute(`${name}1`, across.from);
    line.setAttribute(`${name}2`, across.to);
  }

  const here = () => names.map((name) => model.get(name));
  const go = (place) => {
    names.forEach((name, axis) => model.set(name, place[axis]));
    model.save_changes();
  };
  const press = (key) => {
    const place = moved(here(), key, sizes);
    if (place) go(place);
    return place !== null;
  };

  const move = () => {
    const places = here();
    names.forEach((name, axis) => {
      find(`.${name} input`).value = places[axis];
      find(`.${name} .earlier`).disabled = places[axis] === 0;
      find(`.${name} .later`).disabled = places[axis] === sizes[axis] - 1;
    });
    const [left, top] = places.map((place, axis) => placeOf(times[axis][place], axes[axis]));
    for (const end of ["x1", "x2"]) about.setAttribute(end, left);
    for (const end of ["y1", "y2"]) known.setAttribute(end, top);
    find("circle.cursor").setAttribute("cx", left);
    find("circle.cursor").setAttribute("cy", top);
  };

  const describe = () => {
    const now = model.get("_now");
    for (const name of names) {
      find(`.${name} output`).textContent = now[name];
      find(`.${name} input`).setAttribute("aria-valuetext", `${now[name]}. ${now.headline}`);
    }
    find(".headline").textContent = now.headline;
    find(".when").textContent = now.when;
    for (const name of ["known", "later"]) {
      find(`.${name} caption`).textContent = now[name].caption;
      find(`.${name} tbody`).replaceChildren(...now[name].rows.map(row));
    }
    // The page under the widget must not jump up and down while one moves about.
    const panels = find(".panels");
    panels.style.minHeight = `${Math.max(parseFloat(panels.style.minHeight) || 0, panels.offsetHeight)}px`;
  };

  const point = (event) => {
    const box = svg.getBoundingClientRect();
    const view = svg.viewBox.baseVal;
    go([
      indexAt(times[0], ((event.clientX - box.left) / box.width) * view.width, x),
      indexAt(times[1], ((event.clientY - box.top) / box.height) * view.height, y),
    ]);
  };

  names.forEach((name, axis) => {
    const input = find(`.${name} input`);
    input.max = sizes[axis] - 1;
    input.addEventListener("input", () => go(here().with(axis, input.valueAsNumber)));
    find(`.${name} .earlier`).addEventListener("click", () => press(["ArrowLeft", "ArrowDown"][axis]));
    find(`.${name} .later`).addEventListener("click", () => press(["ArrowRight", "ArrowUp"][axis]));
  });
  chart.addEventListener("keydown", (event) => {
    if (!event.ctrlKey && !event.metaKey && !event.altKey && press(event.key)) event.preventDefault();
  });
  svg.addEventListener("pointerdown", (event) => {
    event.preventDefault(); // or the drag selects the words of the axes
    svg.setPointerCapture(event.pointerId);
    point(event);
    chart.focus({ preventScroll: true });
  });
  svg.addEventListener("pointermove", (event) => {
    if (svg.hasPointerCapture(event.pointerId)) point(event);
  });
  for (const name of names) model.on(`change:${name}`, move);
  model.on("change:_now", describe);
  move();
  describe();
  return () => {
    for (const name of names) model.off(`change:${name}`, move);
    model.off("change:_now", describe);
  };
}

export default { render };
