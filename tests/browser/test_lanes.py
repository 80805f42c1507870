"""The lanes widget in JupyterLab: records come in by keyboard, by mouse and by themselves; what is wrong stands out."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from statistics import median

import nbformat
import pandas as pd
import pytest
from playwright.sync_api import Browser, Locator, expect

from .jupyter import PROJECT, Server, active_cell, open_page, run_notebook, screenshot, use_theme

pytestmark = pytest.mark.browser

NOTEBOOK = PROJECT / "build" / "browser" / "lanes.ipynb"
CARTS, MANY_CARTS, PARTITIONS, SEED = 40, 2_500, 6, 7
LABELS = ("created", "added 3 trousers", "removed 2 trousers", "checked out")
SOURCE = """import pandas as pd
from eventlab import show
show.lanes(pd.read_csv("lanes.csv"))"""
MANY_SOURCE = """import pandas as pd
from eventlab import show
show.lanes(pd.read_csv("many.csv"), marks=pd.read_csv("marks.csv"))"""
STEPS, STEP_MS = 60, 50  # nine steps of ten: one may meet the garbage collector, or a busy machine


def read(carts: int) -> pd.DataFrame:
    """Carts whose records went to any partition, as a consumer reads them: a batch from here, a batch from there."""
    rng = Random(SEED)
    logs: list[list[dict[str, object]]] = [[] for _ in range(PARTITIONS)]
    todo = [f"cart-{number}" for number in range(carts)] * len(LABELS)
    rng.shuffle(todo)
    seen: dict[str, int] = {}
    for tick, key in enumerate(todo):
        version = seen[key] = seen.get(key, 0) + 1
        partition = rng.randrange(PARTITIONS)
        place = {"partition": partition, "offset": len(logs[partition]), "timestamp": 1_772_550_000_000 + 17 * tick}
        logs[partition].append(place | {"key": key, "version": version, "label": LABELS[version - 1]})
    records: list[dict[str, object]] = []
    while any(logs):
        log = rng.choice([log for log in logs if log])
        batch = rng.randrange(1, 9)
        records += log[:batch]
        del log[:batch]
    frame = pd.DataFrame(records).reset_index(names="order")
    return frame.assign(inverted=frame["version"] < frame.groupby("key")["version"].cummax())


RECORDS = read(CARTS)
WORST = RECORDS.loc[RECORDS["inverted"], "key"].mode()[0]


@pytest.fixture(scope="module")
def lanes(browser: Browser, jupyterlab: Server) -> Iterator[Locator]:
    """The widget, between two cells to which a stray arrow key would go."""
    keep(RECORDS, "lanes")
    above, below = (nbformat.v4.new_markdown_cell(text) for text in ("Above it.", "Below it."))
    write(NOTEBOOK, above, nbformat.v4.new_code_cell(SOURCE), below)
    with open_page(browser) as page:
        run_notebook(page, jupyterlab, str(NOTEBOOK.relative_to(PROJECT)))
        yield page.locator(".eventlab.lanes")


def keep(frame: pd.DataFrame, name: str) -> None:
    """Where the notebook finds it."""
    NOTEBOOK.parent.mkdir(parents=True, exist_ok=True)
    frame.to_csv(NOTEBOOK.with_name(f"{name}.csv"), index=False)


def write(path: Path, *cells: nbformat.NotebookNode) -> None:
    notebook = nbformat.v4.new_notebook(cells=list(cells))
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    nbformat.write(notebook, path)


@pytest.fixture
def slider(lanes: Locator) -> Locator:
    """The slider with the focus on it, all records read, the worst key highlighted."""
    lanes.get_by_role("combobox", name="Highlight").select_option(label=f"{WORST} ▲")
    found = lanes.get_by_role("slider", name="Records read")
    found.focus()
    found.press("End")
    expect_read(lanes, len(RECORDS))
    return found


def expect_read(lanes: Locator, count: int) -> None:
    expect(lanes.locator("output")).to_have_text(f"record {count} of {len(RECORDS)}")


def rows(lanes: Locator) -> Locator:
    return lanes.locator("tbody tr")


_PIXELS = "[...document.querySelectorAll('.eventlab.lanes canvas')].map((canvas) => canvas.toDataURL()).join()"


def picture(lanes: Locator) -> str:
    """The pixels of both views."""
    return str(lanes.page.evaluate(_PIXELS))


def test_it_opens_on_the_key_that_is_most_out_of_order(lanes: Locator, slider: Locator) -> None:
    story = RECORDS[RECORDS["key"] == WORST]
    expect(rows(lanes)).to_have_count(len(story))
    expect(rows(lanes).filter(has_text="▲ out of order")).to_have_count(int(story["inverted"].sum()))
    expect(rows(lanes).first).to_contain_text(str(story["label"].iloc[0]))
    says = re.compile(rf"^Partitions as lanes \({PARTITIONS}\): {len(RECORDS)} records of .* Highlighted: {WORST},")
    expect(lanes.get_by_role("img")).to_have_accessible_name(says)
    screenshot(lanes.page, "lanes")


def test_the_keyboard_takes_records_away_and_brings_them_back(lanes: Locator, slider: Locator) -> None:
    cell, full = active_cell(lanes.page), picture(lanes)
    slider.press("Home")
    expect_read(lanes, 1)
    slider.press("ArrowRight")
    expect_read(lanes, 2)
    assert picture(lanes) != full
    first = RECORDS.iloc[1]
    expect(slider).to_have_attribute(
        "aria-valuetext",
        f"Record 2 of {len(RECORDS)}: {first['key']} version {first['version']}, {first['label']}, "
        f"partition {first['partition']}, offset {first['offset']}" + (", out of order" if first["inverted"] else ""),
    )
    slider.press("End")
    expect_read(lanes, len(RECORDS))
    assert picture(lanes) == full
    assert active_cell(lanes.page) == cell, "the keys must not move the notebook's selection"


def test_another_key_can_be_highlighted_from_the_list_and_on_the_picture(lanes: Locator, slider: Locator) -> None:
    lanes.get_by_role("combobox", name="Highlight").select_option(label="all keys")
    expect(rows(lanes).last).to_contain_text(RECORDS["key"].iloc[-1])
    near = lanes.locator("canvas.near")
    lane = RECORDS["partition"].iloc[-1] + 0.5
    box = near.bounding_box()
    near.click(position={"x": box["width"] - 20, "y": box["height"] / PARTITIONS * lane})
    expect(lanes.locator("caption")).to_have_text(f"What was read of {RECORDS['key'].iloc[-1]}")


def test_it_plays_to_the_end_by_itself(lanes: Locator, slider: Locator) -> None:
    for _ in range(5):
        slider.press("ArrowLeft")
    expect_read(lanes, len(RECORDS) - 5)
    lanes.get_by_role("button", name="Play").click()
    expect(lanes.get_by_role("button", name="Pause")).to_be_visible()
    expect_read(lanes, len(RECORDS))
    expect(lanes.get_by_role("button", name="Play")).to_be_visible()


def test_it_is_drawn_again_in_the_colours_of_another_theme(lanes: Locator, slider: Locator) -> None:
    light = picture(lanes)
    use_theme(lanes.page, "Dark")
    lanes.page.wait_for_function(f"(before) => {_PIXELS} !== before", arg=light)
    screenshot(lanes.page, "lanes-dark")


# From the key press to the end of the frame in which it was drawn; the wait for that frame is in it.
_STEPS = """async (steps) => {
  const slider = document.querySelector(".eventlab.lanes input");
  const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  const taken = [];
  for (let step = 0; step < steps; step++) {
    const began = performance.now();
    slider.stepDown();
    slider.dispatchEvent(new Event("input"));
    await frame();
    taken.push(performance.now() - began);
  }
  return taken;
}"""


@pytest.fixture(scope="module")
def many(browser: Browser, jupyterlab: Server) -> Iterator[Locator]:
    """Ten thousand records, some of them read twice, and the ends of the partitions."""
    records = read(MANY_CARTS)
    records = records.assign(duplicate=records["order"] % 1_000 == 999)
    ends = records.groupby("partition")["offset"].max() + 1
    marks = [
        pd.DataFrame({"partition": ends.index, "offset": ends - behind, "kind": kind})
        for behind, kind in [(20, "commit"), (10, "last stable offset"), (0, "high watermark")]
    ]
    marks[0]["offset"] += 20  # behind the last record
    marks[2]["offset"] += 1
    keep(records, "many")
    keep(pd.concat(marks), "marks")
    notebook = NOTEBOOK.with_name("many.ipynb")
    write(notebook, nbformat.v4.new_code_cell(MANY_SOURCE))
    with open_page(browser) as page:
        run_notebook(page, jupyterlab, str(notebook.relative_to(PROJECT)))
        found = page.locator(".eventlab.lanes")
        expect(found.locator("output")).to_have_text(re.compile(r"of 10000$"))
        yield found


@pytest.mark.parametrize("key", ["all keys", "worst"])
def test_ten_thousand_records_step_without_jank(
    many: Locator, key: str, record_property: Callable[[str, object], None]
) -> None:
    chosen = many.locator("option").nth(1).inner_text() if key == "worst" else key
    many.get_by_role("combobox", name="Highlight").select_option(label=chosen)
    slider = many.get_by_role("slider", name="Records read")
    slider.focus()
    slider.press("End")
    many.page.evaluate(_STEPS, 3)  # the first draws all records once
    taken = many.page.evaluate(_STEPS, STEPS)
    record_property("milliseconds per step", median(taken))
    assert sorted(taken)[STEPS * 9 // 10] <= STEP_MS, taken
    screenshot(many.page, f"lanes-many-{key.split()[0]}")


def test_the_keyboard_goes_from_mistake_to_mistake(many: Locator) -> None:
    many.get_by_role("combobox", name="Highlight").select_option(label="all keys")
    slider = many.get_by_role("slider", name="Records read")
    slider.focus()
    slider.press("Home")
    many.get_by_role("button", name="Next mistake").press("Enter")
    expect(rows(many).last).to_contain_text(re.compile("▲ out of order|◆ read before"))
    first = many.locator("output").inner_text()
    many.get_by_role("button", name="Next mistake").press("Enter")
    expect(many.locator("output")).not_to_have_text(first)
    many.get_by_role("button", name="Previous mistake").press("Enter")
    expect(many.locator("output")).to_have_text(first)


def test_marks_of_the_log_stand_among_the_records(many: Locator) -> None:
    many.get_by_role("combobox", name="Highlight").select_option(label="all keys")
    slider = many.get_by_role("slider", name="Records read")
    slider.focus()
    slider.press("End")
    expect(rows(many).last).to_contain_text("high watermark")
    expect(slider).to_have_attribute(
        "aria-valuetext", re.compile(r"Record 10000 of 10000: high watermark, partition \d, ")
    )
    legend = many.locator(".legend")
    for words in ("▲ out of order", "◆ read before", "C commit", "LSO last stable offset", "HW high watermark"):
        expect(legend).to_contain_text(words)
