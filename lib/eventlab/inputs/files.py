"""From a path to bytes and text: what is no text file is refused by name, and the encoding is found, not assumed."""

import codecs
import re
from pathlib import Path

from eventlab.inputs.errors import InputError

# Some 100,000 entries in the wordiest format. Reading takes up to thirty times as much memory (MT940, measured).
MAX_BYTES = 32 * 2**20
_SNIFF = 64 * 2**10

_EXPORT = "Export it as OFX, MT940, CAMT.053 or CSV"
_NOT_TEXT = {
    b"%PDF": ("a PDF", f"{_EXPORT}: a PDF is for reading, not for importing"),
    b"PK\x03\x04": ("a ZIP archive or a spreadsheet", "Unpack it, or save the spreadsheet as CSV"),
    b"\xd0\xcf\x11\xe0": ("an old Excel file", "Open it and save it as CSV"),
    b"\x1f\x8b": ("a gzip archive", "Unpack it first"),
    b"\x89PNG": ("a picture", _EXPORT),
    b"\xff\xd8\xff": ("a picture", _EXPORT),
    b"SQLite format 3": ("an SQLite database", _EXPORT),
}
_BOMS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
# What banks write that is not Unicode: Windows (of which Latin-1 is a part), and DOS in old MT940 programs.
_ONE_BYTE = ("cp1252", "cp850")
_FOREIGN = re.compile(r"(?P<before>.?)(?P<letter>[^\x00-\x7f])(?=(?P<after>.?))", re.DOTALL)
_TEXT_CONTROLS = b"\t\n\x0b\x0c\r\x1a\x01\x02\x03\x04"  # SWIFT envelopes use ^A to ^D


def read_bytes(path: Path) -> bytes:
    """The content of the file. Raises InputError for a file that is not there, empty, huge, or no text at all."""
    try:
        size = path.stat().st_size
        if path.is_dir():
            raise InputError("this is a folder", file=str(path), do="Name one file in it")
        if size > MAX_BYTES:
            raise InputError(
                f"the file has {size / 2**20:,.0f} MB; more than {MAX_BYTES // 2**20} MB are not read at once",
                file=path.name,
                do="Export shorter periods and import them one after the other",
            )
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise InputError("there is no such file", file=str(path), do="Check the path") from error
    except OSError as error:
        raise InputError(
            f"the file cannot be read ({error.strerror})", file=str(path), do="Check its rights"
        ) from error
    if not data.strip():
        raise InputError("the file is empty", file=path.name, do="Export it again")
    for magic, (what, cure) in _NOT_TEXT.items():
        if data.startswith(magic):
            raise InputError(f"this is {what}, not a statement", file=path.name, do=cure)
    return data


def decode(data: bytes, encoding: str = "") -> tuple[str, str]:
    """The text, its lines ending with a line feed, and the name of its encoding.

    That is ``encoding`` if given, else what the bytes prove (a mark, or UTF-8 throughout), else the likeliest.

    Raises InputError, naming the line, when the bytes are not in ``encoding``, and when they are no text.
    """
    chosen = encoding or next((name for bom, name in _BOMS.items() if data.startswith(bom)), "") or _utf_16(data)
    if chosen:
        return _decoded(data, chosen)
    if data.translate(None, _TEXT_CONTROLS).translate(None, bytes(range(32))) != data.translate(None, _TEXT_CONTROLS):
        raise InputError("this is a binary file, not text", do=_EXPORT)
    try:
        return _decoded(data, "utf-8")
    except InputError:
        foreign = next(n for n, byte in enumerate(data) if byte > 127)  # somewhere from there on it is not UTF-8
    some = data[max(0, foreign - 1) : foreign + _SNIFF]
    try:
        likeliest = max(_ONE_BYTE, key=lambda name: _sense(some.decode(name)))
        return _decoded(data, likeliest)
    except (UnicodeDecodeError, InputError):
        return _decoded(data, "cp850")  # it knows every byte, cp1252 does not


def _sense(text: str) -> int:
    """How many of the foreign characters look like letters within words, less those that do not.

    In the wrong one of two encodings "Müller" is "M³ller" or "M\x81ller". (charset-normalizer is made for longer
    texts: it took the wrong one for every second statement line with one foreign letter.)
    """
    score = 0
    for found in _FOREIGN.finditer(text):
        before, letter, after = found["before"], found["letter"], found["after"]
        in_word = letter.isalpha() and (before.isalpha() or after.isalpha())
        score += 1 if in_word and not (letter.isupper() and before.islower()) else -1
    return score


def encoding_note(encoding: str) -> tuple[str, ...]:
    """A note for the reader of the report when the encoding was not certain."""
    return (f"the text is read as {encoding}",) if encoding in _ONE_BYTE else ()


def _utf_16(data: bytes) -> str:
    """UTF-16 without a mark shows by the zero in every second byte of plain letters."""
    head = data[:_SNIFF]
    even, odd = head[::2].count(0), head[1::2].count(0)
    if min(even, odd) or max(even, odd) < len(head) // 4:
        return ""
    return "utf-16-be" if even else "utf-16-le"


def _decoded(data: bytes, encoding: str) -> tuple[str, str]:
    try:
        text = data.decode(encoding).removeprefix("\ufeff")
        if "\0" in text:
            raise InputError("this is a binary file, not text", do=_EXPORT)
        return text.replace("\r\n", "\n").replace("\r", "\n"), encoding
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise InputError(
            f"the byte 0x{data[error.start]:02x} is not {encoding}",
            where=f"line {line}",
            do="The file is damaged or in another encoding: export it again, or name its encoding in the mapping",
        ) from error
    except LookupError as error:
        raise InputError(f"there is no encoding {encoding!r}", do="Use utf-8, cp1252, iso-8859-15 or utf-16") from error
