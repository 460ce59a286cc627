"""A text file as it comes: its encoding, its delimiter, its lines. What cannot be read as text is refused with its line."""

from __future__ import annotations

import codecs
import csv
import errno
import hashlib
import mmap
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tools.errors import NeedsPerson, refuse_no_file

_CHUNK = 1 << 22
MAX_LINE = 1 << 16  # bytes; a line twice as long is refused for certain, no real row comes near
_DELIMITERS = ",\t;|"
_BOM = codecs.BOM_UTF8
# Blanks that exports put around values: also the tab in front of ids, ideographic ones, and what cannot be seen: zero width,
# the marks of direction that come along when a number is copied from a chat, the beginning of a file in the middle of one.
_UNSEEN = "\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069"
BLANKS = " \t\r\n\u3000\u00a0\ufeff" + _UNSEEN
_UNSEEN_BYTES = re.compile(rb"\xe2(?:\x80[\x8b-\x8f\xaa-\xae]|\x81[\xa0\xa6-\xa9])")
_CONTINUATION = bytes(range(0x80, 0xC0))
# The encoding shows in the first blocks that hold more than ASCII; a broken character later is that line's fault.
_TRIED = 4
csv.field_size_limit(1 << 30)


@dataclass(frozen=True)
class TextFile:
    """`utf8_path` is the file itself, or a UTF-8 copy of it. Lines count from 1 and are lines of the file as it is.

    `clean`: nothing is quoted and no rare blank (tab, zero width) is in it, so that plain trimming is enough.
    `odd`: which of the signs `.+='` are in it (tools/repairs.py).
    """

    path: Path
    utf8_path: Path
    sha256: str
    newlines: int
    ends_with_newline: bool
    delimiter: str
    clean: bool
    blank_lines_before: int
    odd: str = ".+='"

    @property
    def last_line(self) -> int:
        return self.newlines + (0 if self.ends_with_newline else 1)

    @property
    def data_lines(self) -> int:
        """Lines behind the first one that is not blank."""
        return self.last_line - 1 - self.blank_lines_before

    def first_record(self) -> list[str]:
        with self.utf8_path.open(encoding="utf-8-sig", newline="") as f:
            return next((r for r in csv.reader(f, delimiter=self.delimiter) if r), [])

    def header(self) -> list[str]:
        return [title.strip(BLANKS) for title in self.first_record()]

    def lines_at(self, offsets: list[int]) -> list[int]:
        """The line of the first character at or behind each byte offset (ascending) that is no line end."""
        out: list[int] = []
        line, position = 1, 0
        with self.utf8_path.open("rb") as f, mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ) as data:
            for offset in offsets:
                begin = offset
                while begin < len(data) and data[begin] in b"\r\n":
                    begin += 1
                for start in range(position, begin, _CHUNK):
                    line += data[start : min(start + _CHUNK, begin)].count(b"\n")
                position = max(position, begin)
                out.append(line)
        return out

    def lines_of_records(self, wanted: set[int], width: int, *, titled: bool) -> dict[int, int]:
        """record number (from 1; a title record is not counted, nor are records without `width` fields) → its line."""
        out: dict[int, int] = {}
        if not wanted:
            return out
        last, record, begin, title = max(wanted), 0, 1, titled
        with self.utf8_path.open(encoding="utf-8-sig", newline="") as f:
            reader = csv.reader(f, delimiter=self.delimiter)
            for fields in reader:
                if fields and title:
                    title = False
                elif len(fields) == width:
                    record += 1
                    if record in wanted:
                        out[record] = begin
                    if record >= last:
                        break
                begin = reader.line_num + 1
        return out

    def open_quote(self) -> int | None:
        """The line of a quote that is never closed; None when all are."""
        begin = 1
        with self.utf8_path.open(encoding="utf-8-sig", newline="") as f:
            reader = csv.reader(f, delimiter=self.delimiter, strict=True)
            try:
                for _ in reader:
                    begin = reader.line_num + 1
            except csv.Error as e:
                return begin if "unexpected end of data" in str(e) else None
        return None


@dataclass
class _Seen:
    """What one pass over the bytes finds."""

    sha256: str = ""
    newlines: int = 0
    crlf: int = 0
    returns: int = 0
    quotes: int = 0
    rare_blanks: bool = False
    odd: str = ""
    last: bytes = b""
    utf8: bool = True
    cut_character: bool = False
    head: bytes = field(default=b"", repr=False)


@contextmanager
def open_text(path: Path) -> Iterator[TextFile]:
    """`path` as a TextFile; NeedsPerson when it is missing, empty, binary, cut off, or not to be read.

    A file that is not UTF-8 is read as GB18030; that, and a file whose line ends are mixed, through a temporary copy.
    """
    refuse_no_file(path)
    try:
        seen = _look(path)
    except PermissionError as e:
        raise NeedsPerson("no_permission", path=str(path)) from e
    if not seen.head.strip(_BOM + b" \r\n\t"):
        raise NeedsPerson("file_empty", file=path.name)
    if seen.cut_character:
        raise NeedsPerson("half_written", file=path.name, line=seen.newlines + 1)
    mixed = seen.returns > 0 and not seen.crlf == seen.returns == seen.newlines
    if seen.utf8 and not mixed:
        yield _described(path, path, seen)
        return
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "utf8.csv"
        try:
            _copy(path, copy, "utf-8" if seen.utf8 else "gb18030")
        except OSError as e:
            if e.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise NeedsPerson("disk_full", path=folder) from e
        yield _described(path, copy, seen)


def _look(path: Path) -> _Seen:
    seen, digest, decoded = _Seen(), hashlib.sha256(), 0
    with path.open("rb") as f:
        while piece := f.read(_CHUNK):
            digest.update(piece)
            if b"\0" in piece:
                line = seen.newlines + piece[: piece.index(b"\0")].count(b"\n") + 1
                raise NeedsPerson("file_binary", file=path.name, line=line)
            _refuse_long_lines(path, piece, seen.newlines)
            if not seen.head.strip(_BOM + b" \r\n\t"):
                seen.head = piece[: 1 << 20]
            seen.newlines += piece.count(b"\n")
            if b"\r" in piece:
                seen.returns += piece.count(b"\r")
                seen.crlf += piece.count(b"\r\n")
            seen.crlf += seen.last[-1:] == b"\r" and piece[:1] == b"\n"
            seen.quotes += piece.count(b'"')
            ascii_only = piece.isascii()
            seen.odd += "".join(sign for sign in ".+='" if sign not in seen.odd and sign.encode() in piece)
            if not seen.rare_blanks:
                seen.rare_blanks = b"\t" in piece or (not ascii_only and _unseen(seen.last, piece))
            seen.last = piece[-4:]
            if not ascii_only and decoded < _TRIED:
                decoded += 1
                try:
                    codecs.getincrementaldecoder("utf-8")().decode(piece.lstrip(_CONTINUATION))
                except UnicodeDecodeError:
                    seen.utf8 = False
    seen.cut_character = seen.utf8 and _cut(seen.last)
    seen.sha256 = digest.hexdigest()
    return seen


def _unseen(before: bytes, piece: bytes) -> bool:
    """Whether a block that comes after the bytes `before` holds a mark that takes no room; the first mark of a file does not
    count, csv readers skip it."""
    for part in (before + piece[:2], piece) if before else (piece,):
        if part.find(_BOM, 0 if before else 1) >= 0 or (b"\xe2" in part and _UNSEEN_BYTES.search(part)):
            return True
    return False


def _cut(tail: bytes) -> bool:
    """Whether the last bytes are the beginning of a UTF-8 character."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(tail.lstrip(_CONTINUATION), final=True)
    except UnicodeDecodeError:
        return True
    return False


def _refuse_long_lines(path: Path, piece: bytes, lines_before: int) -> None:
    """A whole block without a line end: the line around it is at least MAX_LINE long."""
    for start in range(0, len(piece) - MAX_LINE, MAX_LINE):
        if piece.find(b"\n", start, start + MAX_LINE) < 0 and piece.find(b"\r", start, start + MAX_LINE) < 0:
            line = lines_before + piece[:start].count(b"\n") + 1
            raise NeedsPerson("line_too_long", file=path.name, line=line)


def _copy(path: Path, copy: Path, encoding: str) -> None:
    """`path` as UTF-8 with \\n line ends."""
    decoder = codecs.getincrementaldecoder(encoding)()
    line = 1
    with path.open("rb") as source, copy.open("w", encoding="utf-8", newline="") as target:
        pending = ""
        while True:
            piece = source.read(_CHUNK)
            try:
                text = pending + decoder.decode(piece, final=not piece)
            except UnicodeDecodeError as e:
                cut = not piece
                at = line + (0 if cut else piece[: e.start].count(b"\n"))
                raise NeedsPerson("half_written" if cut else "file_binary", file=path.name, line=at) from e
            pending = "\r" if piece and text.endswith("\r") else ""
            text = text[: len(text) - len(pending)].replace("\r\n", "\n").replace("\r", "\n")
            target.write(text)
            line += text.count("\n")
            if not piece:
                return


def _described(path: Path, utf8: Path, seen: _Seen) -> TextFile:
    with utf8.open("rb") as f:
        head = f.read(1 << 20)
    newlines = seen.newlines
    last = seen.last[-1:]
    if utf8 != path:
        newlines, last, seen.rare_blanks = _count(utf8)
    lines = head.removeprefix(_BOM).split(b"\n")
    before = next((i for i, line in enumerate(lines) if line.strip()), 0)
    first = lines[before].decode("utf-8", errors="replace").rstrip("\r")
    if any(ord(c) < 32 and c != "\t" for c in first):
        raise NeedsPerson("file_binary", file=path.name, line=before + 1)
    delimiter = max(_DELIMITERS, key=first.count) if any(d in first for d in _DELIMITERS) else ","
    clean = not seen.quotes and not seen.rare_blanks
    text = TextFile(path, utf8, seen.sha256, newlines, last == b"\n", delimiter, clean, before, seen.odd)
    if seen.quotes % 2 and (line := text.open_quote()) is not None:
        raise NeedsPerson("open_quote", file=path.name, line=line)
    return text


def _count(path: Path) -> tuple[int, bytes, bool]:
    """(line ends, last byte, whether there are rare blanks) of a copy, whose bytes differ from the original's."""
    newlines, last, rare = 0, b"", False
    with path.open("rb") as f:
        while piece := f.read(_CHUNK):
            newlines += piece.count(b"\n")
            rare = rare or b"\t" in piece or _unseen(last, piece)
            last = piece[-4:]
    return newlines, last[-1:], rare
