"""What the course shows: a short Markdown text, and widgets with something to read where no widget can run."""

import html
import re
from typing import Any


class Card:
    """A short text in Markdown, which JupyterLab, VS Code, the book and a terminal can all show."""

    def __init__(self, markdown: str) -> None:
        self.markdown = markdown

    def __repr__(self) -> str:
        return self.markdown

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {"text/markdown": self.markdown, "text/plain": self.markdown}


def with_fallback(widget: Any, page: str, plain: str) -> dict[str, Any]:
    """The MIME bundle of ``widget``, with ``page`` (HTML) and ``plain`` for readers without a kernel."""
    return {**widget._repr_mimebundle_(), "text/html": page, "text/plain": plain}


def inline(markdown: str) -> str:
    """HTML of one line of text with `code` and **bold** in it, for a widget."""
    text = re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(markdown, quote=False))
    return re.sub(r"\*\*([^*]+)\*\*", r"<b>\1</b>", text)


def code(text: str) -> str:
    """``text`` as inline code in Markdown, whatever backticks it holds."""
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    padding = " " if "`" in text else ""
    return f"{fence}{padding}{' '.join(text.split())}{padding}{fence}"
