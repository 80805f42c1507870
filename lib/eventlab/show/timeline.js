// The timeline widget: a slider over the history of one stream. Python draws the line once and describes one step at a
// time; this file moves the cursor and puts the description on the page.

/** The moments of all versions, in milliseconds since 1970, out of the bytes that came from Python. */
export function moments(view) {
  return new Float64Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
}

/** The index of the last moment at or before `time`; 0 when all are later. */
export function indexAt(times, time) {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] <= time) low = middle + 1;
    else high = middle;
  }
  return Math.max(low - 1, 0);
}

/** Where `time` stands in the picture, in the picture's own units. */
export function xOf(time, { left, width, start, end }) {
  return left + ((time - start) / (end - start)) * width;
}

/** The moment at `x` of the picture, held inside the line's own span. */
export function timeAt(x, { left, width, start, end }) {
  const share = Math.min(Math.max((x - left) / width, 0), 1);
  return start + share * (end - start);
}

/** Where `value` stands in the picture, in the picture's own units. */
export function yOf(value, { top, height, low, high }) {
  return top + (1 - (value - low) / (high - low)) * height;
}

const TEMPLATE = `
  <div class="chart" role="img"></div>
  <div class="controls">
    <button type="button" class="earlier" aria-label="One version earlier">‹</button>
    <input type="range" step="1" aria-label="Version">
    <button type="button" class="later" aria-label="One version later">›</button>
    <output></output>
  </div>
  <p class="headline"></p>
  <p class="when"></p>
  <div class="panels">
    <table class="changes"><caption>What changed</caption>
      <thead><tr><th scope="col"></th><th scope="col">before</th><th scope="col">after</th></tr></thead><tbody></tbody></table>
    <table class="state"><caption>The whole state</caption><tbody></tbody></table>
  </div>`;

const CURSOR = `
  <line class="cursor" stroke="currentColor" stroke-width="1.5"></line>
  <circle class="cursor" r="5" fill="#d55e00" stroke="currentColor"></circle>`;

function row(cells, changed) {
  const line = document.createElement("tr");
  for (const text of cells) {
    const cell = line.insertCell();
    cell.textContent = text;
    if (changed) cell.className = "changed";
  }
  return line;
}

function render({ model, el }) {
  const { first, last, alt, frame } = model.get("_shape");
  const times = moments(model.get("_times"));
  el.classList.add("eventlab", "timeline");
  el.innerHTML = TEMPLATE;
  // JupyterLab would take the arrow keys for its own: this attribute tells it to leave them to the element in focus.
  for (const control of el.querySelectorAll("button, input, select")) control.dataset.lmSuppressShortcuts = "true";
  const find = (selector) => el.querySelector(selector);
  const slider = find("input");
  slider.min = first;
  slider.max = last;
  find(".chart").setAttribute("aria-label", alt);
  find(".chart").innerHTML = model.get("_picture");
  const svg = find("svg");
  svg.insertAdjacentHTML("beforeend", CURSOR);
  const line = find("line.cursor");
  const dot = find("circle.cursor");
  line.setAttribute("y1", frame.top);
  line.setAttribute("y2", frame.top + frame.height);

  const go = (version) => {
    model.set("version", Math.min(Math.max(version, first), last));
    model.save_changes();
  };

  const move = () => {
    const version = model.get("version");
    slider.value = version;
    const x = xOf(times[version - first], frame);
    line.setAttribute("x1", x);
    line.setAttribute("x2", x);
    find(".earlier").disabled = version === first;
    find(".later").disabled = version === last;
  };

  const describe = () => {
    const step = model.get("_now");
    slider.setAttribute("aria-valuetext", step.spoken);
    find("output").textContent = `version ${step.version} of ${last}`;
    find(".headline").textContent = step.event;
    find(".when").textContent = step.time;
    find(".changes tbody").replaceChildren(...step.changes.map((cells) => row(cells, false)));
    find(".state tbody").replaceChildren(...step.state.map(([name, text, changed]) => row([name, text], changed)));
    // The page under the widget must not jump up and down while one slides.
    const panels = find(".panels");
    panels.style.minHeight = `${Math.max(parseFloat(panels.style.minHeight) || 0, panels.offsetHeight)}px`;
    dot.style.display = step.value === null ? "none" : "";
    if (step.value !== null) {
      dot.setAttribute("cx", xOf(times[step.version - first], frame));
      dot.setAttribute("cy", yOf(step.value, frame));
    }
  };

  const point = (event) => {
    const box = svg.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * svg.viewBox.baseVal.width;
    go(first + indexAt(times, timeAt(x, frame)));
  };

  slider.addEventListener("input", () => go(slider.valueAsNumber));
  find(".earlier").addEventListener("click", () => go(model.get("version") - 1));
  find(".later").addEventListener("click", () => go(model.get("version") + 1));
  svg.addEventListener("pointerdown", (event) => {
    svg.setPointerCapture(event.pointerId);
    point(event);
    slider.focus();
  });
  svg.addEventListener("pointermove", (event) => {
    if (svg.hasPointerCapture(event.pointerId)) point(event);
  });
  model.on("change:version", move);
  model.on("change:_now", describe);
  move();
  describe();
  return () => {
    model.off("change:version", move);
    model.off("change:_now", describe);
  };
}

export default { render };
