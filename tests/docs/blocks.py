"""The code blocks of a Markdown document, and what may stand in them."""

import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(r"^(?P<indent> *)```(?P<kind>\w+)\n(?P<text>.*?)^(?P=indent)```$", re.M | re.S)


@dataclass(frozen=True)
class Block:
    """A fenced block: the info string after the fence, the text, the line it begins in."""

    kind: str
    text: str
    line: int

    @property
    def lines(self) -> list[str]:
        return self.text.splitlines()


def blocks(document: Path) -> list[Block]:
    """All fenced blocks of ``document``, in order."""
    text = document.read_text()
    return [
        Block(found["kind"], textwrap.dedent(found["text"]), text[: found.start()].count("\n") + 2)
        for found in _FENCE.finditer(text)
    ]


def links(document: Path) -> list[str]:
    """Where links and pictures lead, without those to the web and within the document."""
    targets = re.findall(r"\]\(([^)#\s]+)\)", document.read_text())
    return [target for target in targets if not target.startswith("https://")]
