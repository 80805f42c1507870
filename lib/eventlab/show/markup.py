"""The HTML that figures, cards and the widgets' static pictures are made of."""

import re
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

import pandas as pd

from eventlab.show import words

STYLE = Path(__file__).with_name("show.css")
# A table stands beside a picture to be read, not to be searched.
MOST_ROWS = 100
# What is compared by its last digits: a number, an amount, a share, a duration.
_NUMBER = re.compile(r"[-−+]?\d[\d.,]*( ?%| [A-Za-z]{1,3})?")


def table(headers: Sequence[str], rows: Iterable[Sequence[object]], caption: str = "") -> str:
    """An HTML table; every value is put in words and escaped."""
    head = "".join(f'<th scope="col">{escape(header)}</th>' for header in headers)
    body = "".join(f"<tr>{''.join(f'<td>{escape(words.value(cell))}</td>' for cell in row)}</tr>" for row in rows)
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    return f"<table>{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def sheet(headers: Sequence[str], rows: Iterable[Sequence[object]], caption: str = "") -> str:
    """Such a table in which text begins at the left and numbers end at the right, whatever the page prefers."""
    cells = [[words.value(cell) for cell in row] for row in rows]
    columns = zip(*cells, strict=True) if cells else ((),) * len(headers)
    sides = ["right" if column and numbers(column) else "left" for column in columns]
    body = "".join(_line("td", row, sides) for row in cells)
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    return f"<table>{title}<thead>{_line('th', headers, sides)}</thead><tbody>{body}</tbody></table>"


def _line(tag: str, texts: Sequence[str], sides: Sequence[str]) -> str:
    cells = (
        f'<{tag} style="text-align:{side}">{escape(text)}</{tag}>' for text, side in zip(texts, sides, strict=True)
    )
    return f"<tr>{''.join(cells)}</tr>"


def numbers(values: Iterable[object]) -> bool:
    """Whether each of these is read from its last digit: a number or an amount, whatever its type, or a dash."""
    return all(text == words.NOTHING or _NUMBER.fullmatch(text) for text in map(words.value, values))


def frame_table(frame: pd.DataFrame) -> str:
    """A data frame as an HTML table without its index; the first 100 rows of a long one, and a line that says so."""
    cut = f"The first {MOST_ROWS} of {len(frame):,} rows." if len(frame) > MOST_ROWS else ""
    shown = frame.head(MOST_ROWS).astype(object)
    shown = shown.where(shown.notna(), None)
    return sheet([str(name) for name in frame.columns], shown.itertuples(index=False, name=None), cut)


def figure(svg: str, alt: str, *tables: str) -> str:
    """A picture with its text alternative, and the same numbers as tables, if there are any, folded under it."""
    data = f"<details><summary>The same as a table</summary>{''.join(tables)}</details>" if tables else ""
    return (
        f"<style>{STYLE.read_text(encoding='utf-8')}</style>"
        f'<figure class="eventlab"><div role="img" aria-label="{escape(alt)}">{svg}</div>{data}</figure>'
    )
