"""A text file as it comes: its encoding, its delimiter, its lines. What cannot be read as text is refused with its line."""

from __future__ import annotations

import codecs
import csv
import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tools.errors import NeedsPerson

_CHUNK = 1 << 22
_DELIMITERS = ",\t;|"
_BOM = codecs.BOM_UTF8
csv.field_size_limit(1 << 21)  # as long as the longest line that DuckDB is told to take


@dataclass(frozen=True)
class TextFile:
    """`utf8_path` is the file itself, or a UTF-8 copy of it. Lines count from 1 and are lines of the file as it is."""

    path: Path
    utf8_path: Path
    encoding: str
    sha256: str
    newlines: int
    ends_with_newline: bool
    delimiter: str

    @property
    def last_line(self) -> int:
        return self.newlines + (0 if self.ends_with_newline else 1)

    @property
    def data_lines(self) -> int:
        """Lines behind the first one."""
        return self.last_line - 1

    def first_record(self) -> list[str]:
        with self.utf8_path.open(encoding="utf-8-sig", newline="") as f:
            return next(csv.reader(f, delimiter=self.delimiter), [])

    def header(self) -> list[str]:
        return [title.strip() for title in self.first_record()]

    def lines_at(self, offsets: list[int]) -> list[int]:
        """The line each byte offset (ascending) is in."""
        out: list[int] = []
        line, position = 1, 0
        with self.utf8_path.open("rb") as f:
            for offset in offsets:
                while position < offset:
                    piece = f.read(min(_CHUNK, offset - position))
                    if not piece:
                        break
                    line += piece.count(b"\n")
                    position += len(piece)
                out.append(line)
        return out

    def lines_of_records(self, wanted: set[int], width: int, *, titled: bool) -> dict[int, int]:
        """record number (from 1; a title record is not counted, nor are records without `width` fields) → its line."""
        out: dict[int, int] = {}
        if not wanted:
            return out
        last, record, begin = max(wanted), 0, 1
        with self.utf8_path.open(encoding="utf-8-sig", newline="") as f:
            reader = csv.reader(f, delimiter=self.delimiter)
            for i, fields in enumerate(reader):
                if len(fields) == width and not (titled and i == 0):
                    record += 1
                    if record in wanted:
                        out[record] = begin
                    if record >= last:
                        break
                begin = reader.line_num + 1
        return out


@contextmanager
def open_text(path: Path) -> Iterator[TextFile]:
    """`path` as a TextFile; NeedsPerson when it is missing, empty, binary or in no encoding we read.

    A file that is not UTF-8 is read as GB18030, through a temporary UTF-8 copy.
    """
    if not path.exists():
        raise NeedsPerson("file_missing", path=str(path))
    if path.is_dir():
        raise NeedsPerson("file_is_folder", path=str(path))
    if path.stat().st_size == 0:
        raise NeedsPerson("file_empty", file=path.name)
    digest, newlines, last = hashlib.sha256(), 0, b""
    utf8: codecs.IncrementalDecoder | None = codecs.getincrementaldecoder("utf-8")()
    blank = True
    with path.open("rb") as f:
        while piece := f.read(_CHUNK):
            digest.update(piece)
            if b"\0" in piece:
                line = newlines + piece[: piece.index(b"\0")].count(b"\n") + 1
                raise NeedsPerson("file_binary", file=path.name, line=line)
            blank = blank and not piece.strip(_BOM + b" \r\n\t")
            newlines += piece.count(b"\n")
            last = piece[-1:]
            if utf8 is not None:
                try:
                    utf8.decode(piece)
                except UnicodeDecodeError:
                    utf8 = None
    if blank:
        raise NeedsPerson("file_empty", file=path.name)
    if utf8 is not None:
        try:
            utf8.decode(b"", final=True)
        except UnicodeDecodeError as e:
            raise NeedsPerson("half_written", file=path.name, line=newlines + 1) from e
        yield _described(path, path, "utf-8", digest.hexdigest(), newlines, last)
        return
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "utf8.csv"
        _transcode(path, copy)
        yield _described(path, copy, "gb18030", digest.hexdigest(), newlines, last)


def _transcode(path: Path, copy: Path) -> None:
    decoder = codecs.getincrementaldecoder("gb18030")()
    line = 1
    with path.open("rb") as source, copy.open("w", encoding="utf-8", newline="") as target:
        while piece := source.read(_CHUNK):
            try:
                text = decoder.decode(piece, final=len(piece) < _CHUNK)
            except UnicodeDecodeError as e:
                raise NeedsPerson("file_binary", file=path.name, line=line + piece[: e.start].count(b"\n")) from e
            target.write(text)
            line += text.count("\n")


def _described(path: Path, utf8: Path, encoding: str, sha: str, newlines: int, last: bytes) -> TextFile:
    with utf8.open(encoding="utf-8-sig", newline="") as f:
        first = f.readline(1 << 20)
    if first and not first.endswith(("\n", "\r")) and len(first) == 1 << 20:
        raise NeedsPerson("line_too_long", file=path.name, line=1)
    if any(ord(c) < 32 and c not in "\r\n\t" for c in first):
        raise NeedsPerson("file_binary", file=path.name, line=1)
    delimiter = max(_DELIMITERS, key=first.count) if any(d in first for d in _DELIMITERS) else ","
    return TextFile(path, utf8, encoding, sha, newlines, last == b"\n", delimiter)
