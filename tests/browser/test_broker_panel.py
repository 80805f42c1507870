"""The panel of lesson 20 in JupyterLab: the mouse kills a broker, the keyboard starts it again, and all is drawn."""

import re
from collections.abc import Iterator

import nbformat
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from .jupyter import PATIENCE_SECONDS, PROJECT, Server, active_cell, open_page, run_notebook, screenshot

pytestmark = pytest.mark.browser

NOTEBOOK = PROJECT / "build" / "browser" / "brokers.ipynb"
SOURCE = """from eventlab import cluster
from eventlab.course.broker_panel import BrokerPanel
BrokerPanel(cluster.connect(brokers=3))"""
PATIENT = {"timeout": PATIENCE_SECONDS * 1000}  # brokers start, elect and catch up


@pytest.fixture(scope="module")
def page(browser: Browser, jupyterlab: Server) -> Iterator[Page]:
    """The panel, in a notebook that has run, between two cells to which a stray key would go."""
    above, below = (nbformat.v4.new_markdown_cell(text) for text in ("Above it.", "Below it."))
    notebook = nbformat.v4.new_notebook(cells=[above, nbformat.v4.new_code_cell(SOURCE), below])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    NOTEBOOK.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, NOTEBOOK)
    with open_page(browser) as page:
        run_notebook(page, jupyterlab, str(NOTEBOOK.relative_to(PROJECT)))
        yield page


def row(page: Page, broker: int) -> Locator:
    """What the table says of a broker at this moment."""
    return page.get_by_role("row", name=re.compile(f"^broker {broker} "))


def test_the_leader_is_killed_by_mouse_another_one_leads_and_the_keyboard_starts_it_again(page: Page) -> None:
    start, stop = (page.get_by_role("button", name=name) for name in ("Start writing", "Stop and count"))
    page.get_by_role("combobox", name="acks =").select_option("all")
    expect(page.get_by_role("button", name="Kill broker 1")).to_be_disabled()
    start.click()
    leads = page.get_by_role("row", name=re.compile(r"^broker \d running leader$"))
    expect(leads).to_have_count(1, **PATIENT)
    expect(page.get_by_role("img", name=re.compile("^3 brokers as lanes"))).to_be_visible()
    first = int(leads.inner_text().split()[1])

    page.get_by_role("button", name=f"Kill broker {first}").click()
    expect(row(page, first)).to_contain_text("dead", **PATIENT)
    expect(row(page, first)).to_contain_text("out of sync", **PATIENT)
    expect(leads).to_have_count(1, **PATIENT)
    assert int(leads.inner_text().split()[1]) != first
    screenshot(page, "broker-panel")

    cell = active_cell(page)
    restart = page.get_by_role("button", name=f"Restart broker {first}")
    expect(restart).to_be_enabled()
    restart.focus()
    restart.press("Space")
    expect(row(page, first)).to_contain_text("running", **PATIENT)
    assert active_cell(page) == cell, "the keys must not move the notebook's selection"

    stop.focus()
    stop.press("Enter")
    expect(page.get_by_text(re.compile(r"payments sent, \d+ acknowledged: 0 of \d+ acknowledged"))).to_be_visible(
        **PATIENT
    )
    expect(start).to_be_enabled()
    expect(page.get_by_text("The same as a table")).to_be_visible()
