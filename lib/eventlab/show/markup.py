"""The HTML that figures, cards and the widgets' static pictures are made of."""

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

import pandas as pd

from eventlab.show import words

STYLE = Path(__file__).with_name("show.css")
# A table stands beside a picture to be read, not to be searched.
MOST_ROWS = 100


def table(headers: Sequence[str], rows: Iterable[Sequence[object]], caption: str = "") -> str:
    """An HTML table; every value is put in words and escaped."""
    head = "".join(f'<th scope="col">{escape(header)}</th>' for header in headers)
    body = "".join(f"<tr>{''.join(f'<td>{escape(words.value(cell))}</td>' for cell in row)}</tr>" for row in rows)
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    return f"<table>{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def frame_table(frame: pd.DataFrame) -> str:
    """A data frame as an HTML table without its index; the first 100 rows of a long one, and a line that says so."""
    cut = f"The first {MOST_ROWS} of {len(frame):,} rows." if len(frame) > MOST_ROWS else ""
    shown = frame.head(MOST_ROWS)
    return table([str(name) for name in frame.columns], shown.itertuples(index=False, name=None), cut)


def figure(svg: str, alt: str, *tables: str) -> str:
    """A picture with its text alternative, and the same numbers as tables, if there are any, folded under it."""
    data = f"<details><summary>The same as a table</summary>{''.join(tables)}</details>" if tables else ""
    return (
        f"<style>{STYLE.read_text(encoding='utf-8')}</style>"
        f'<figure class="eventlab"><div role="img" aria-label="{escape(alt)}">{svg}</div>{data}</figure>'
    )
