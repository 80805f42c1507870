"""What an import did: how much was read, stored and known before, and whether it reconciles."""

import html
from dataclasses import dataclass

from eventlab.events.envelope import StreamId

_ANSWERS = {True: "yes, to the cent", False: "no", None: "cannot be told"}


@dataclass(frozen=True, slots=True, repr=False)
class ImportReport:
    """What became of a file. ``read``, ``stored`` and ``known`` count statement entries or order lines.

    ``reconciles`` is None when the file states too few balances to tell; ``reasons`` say why it is not True.
    ``streams`` are those that the file speaks of.
    """

    file: str
    format: str
    read: int
    stored: int
    known: int
    reconciles: bool | None
    reasons: tuple[str, ...]
    notes: tuple[str, ...]
    streams: tuple[StreamId, ...]

    @property
    def stream(self) -> StreamId:
        """The stream, when there is one only. Raises ValueError when there are more."""
        if len(self.streams) != 1:
            raise ValueError(f"{self.file} speaks of {len(self.streams)} streams: choose one of report.streams")
        return self.streams[0]

    def _rows(self) -> list[tuple[str, str]]:
        streams = str(self.streams[0]) if len(self.streams) == 1 else f"{len(self.streams):,} streams"
        return [
            ("read", f"{self.read:,} lines, {self.format}"),
            ("stored", f"{self.stored:,} new, {self.known:,} already known, in {streams}"),
            ("reconciles", _ANSWERS[self.reconciles]),
            *(("", reason) for reason in self.reasons),
            *(("note", note) for note in self.notes),
        ]

    def __repr__(self) -> str:
        return "\n".join([self.file, *(f"  {label:<12}{text}" for label, text in self._rows())])

    def _repr_html_(self) -> str:
        rows = "".join(
            f'<tr><th scope="row" style="text-align:left">{html.escape(label)}</th>'
            f'<td style="text-align:left">{html.escape(text)}</td></tr>'
            for label, text in self._rows()
        )
        return f"<table><caption>{html.escape(self.file)}</caption><tbody>{rows}</tbody></table>"
