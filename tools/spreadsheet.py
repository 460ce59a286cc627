"""Spreadsheets (.xlsx) as the CSV that the import reads. The only importer of openpyxl.

Row n of the sheet becomes line n of the CSV, title and empty rows as blank lines, so that a refused line is found again in
the sheet. Sheets are streamed: a million rows need no more memory than one, but the texts that they share.
"""

from __future__ import annotations

import csv
import datetime as dt
import mmap
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from itertools import islice, zip_longest
from pathlib import Path
from typing import Any

from knowledge import catalog
from tools import names
from tools.errors import NeedsPerson, WarRoomError, refuse_no_file

ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_LOOKED_AT = 30  # rows, in search of the header
# What unpacking may come to. Real sheets shrink to a tenth or a fortieth; only the shared texts are held in memory at once.
_MAX_UNPACKED, _MAX_TEXTS, _MAX_RATIO, _SMALL = 3 << 30, 300 << 20, 200, 50 << 20
_ROW = re.compile(rb"<(?:\w+:)?row[ />]")
_MERGED = re.compile(rb"""<(?:\w+:)?mergeCell\s[^>]*?ref=["']([A-Z]+)([0-9]+):[A-Z]+([0-9]+)["']""")
_CHUNK, _MAX_MERGED = 1 << 20, 1_000_000
_EXACT = 10**15  # a number cell holds 15 digits; what stood behind them is lost
_TOTALS = {
    "合计", "总计", "小计", "共计", "汇总", "本页合计", "合計", "總計", "小計", "total", "grand total", "subtotal", "sum",
}  # fmt: skip
_ERRORS = {"#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#GETTING_DATA", "#SPILL!", "#CALC!"}
_SUMS = ("money", "number", "integer")


@dataclass(frozen=True)
class Sheet:
    """A sheet with a header. `header_row` counts from 1; `rows` is how many rows stand below it, empty ones included.

    `merged`: place of a column → (first, last) row of each area that is merged downwards from there, below the header.
    """

    name: str
    header: tuple[str, ...]
    header_row: int
    rows: int
    merged: dict[int, list[tuple[int, int]]] = field(default_factory=dict, compare=False)


@dataclass
class Written:
    """What `to_csv` met: `rows` of data; per header the first row whose number has lost digits (long ids); `refused`: (row,
    place of the column, value, reason) of rows that are left out: totals, and cells of the table where a formula failed."""

    rows: int = 0
    lost: dict[str, int] = field(default_factory=dict)
    refused: list[tuple[int, int, str, str]] = field(default_factory=list)


def is_spreadsheet(path: Path) -> bool:
    """Whether the file is a packed or an old Office file, whatever it is called; such a file is never text."""
    try:
        with path.open("rb") as f:
            return f.read(4) in (ZIP, OLE)
    except OSError:  # whoever opens it in earnest says what is wrong
        return False


def sheets(path: Path, titles: Sequence[str] = ()) -> list[Sheet]:
    """The visible sheets that hold anything, in order. `titles`: headers known beside the catalogue's.

    NeedsPerson when the file is no .xlsx, locked, broken, or a bomb.
    """
    out = []
    known = _known_titles() | {names.fold(title) for title in titles}
    with _opened(path) as book:
        for sheet in _visible(book):
            sheet.reset_dimensions()  # what programs write there is often wrong
            found = _header(list(islice(sheet.iter_rows(values_only=True), _LOOKED_AT)), known)
            if found:
                header, at = found
                rows, merged = _scan(path, sheet, at)
                out.append(Sheet(sheet.title, header, at, max(rows - at, 0), merged))
    if not out:
        raise NeedsPerson("file_empty", file=path.name)
    return out


def to_csv(
    path: Path,
    sheet: Sheet,
    target: Path,
    limit: int | None = None,
    *,
    kinds: Mapping[int, str] | None = None,
    progress: Callable[[float], None] | None = None,
) -> Written:
    """Write `sheet` to `target`: its header and, up to row `limit`, the rows below, as wide as the header.

    `kinds`: place → type of the columns that are imported. There numbers that stand for days become times, and what is merged
    downwards is repeated; but no sum is: of an amount merged over three lines of an order, the first line has all of it.
    """
    kinds = kinds or {}
    written = Written()
    width = len(sheet.header)
    with _opened(path) as book, target.open("w", encoding="utf-8", newline="") as f:
        writer = csv.writer(f, lineterminator="\n")
        f.write("\n" * (sheet.header_row - 1))
        writer.writerow(sheet.header)
        cells = book[sheet.name]
        cells.reset_dimensions()
        line = sheet.header_row
        repeated = _Repeated({i: areas for i, areas in sheet.merged.items() if kinds.get(i, "number") not in _SUMS})
        rows = cells.iter_rows(min_row=line + 1, max_row=limit, values_only=True)
        for number, row in enumerate(rows, start=line + 1):
            if progress and number % 2000 == 0:
                progress(min(number / (sheet.rows + sheet.header_row), 1.0))
            values = [_text(v, kinds.get(i), book.epoch) for i, v in enumerate(row[:width])]
            values += [""] * (width - len(values))
            repeated.note(number, values)
            refused = _refused(values, kinds)
            if refused is not None:
                written.refused.append((number, *refused))
            if refused is not None or not any(values):
                continue
            repeated.fill(number, values)
            if width > 1:  # a blank line in a file of one column would be a row
                f.write("\n" * (number - line - 1))
            writer.writerow(values)
            line = number
            written.rows += 1
            for title, value in zip(sheet.header, row, strict=False):
                if _cut_short(value):
                    written.lost.setdefault(title, number)
    return written


class _Repeated:
    """The values of merged areas, row by row."""

    def __init__(self, areas: Mapping[int, list[tuple[int, int]]]) -> None:
        self._starting = {first: [] for spans in areas.values() for first, _ in spans}  # type: dict[int, list[tuple[int, int]]]
        for i, spans in areas.items():
            for first, last in spans:
                self._starting[first].append((i, last))
        self._running: dict[int, tuple[int, str]] = {}

    def note(self, number: int, values: list[str]) -> None:
        for i, last in self._starting.get(number, ()):
            self._running[i] = (last, values[i])

    def fill(self, number: int, values: list[str]) -> None:
        for i, (last, value) in self._running.items():
            if number <= last and not values[i]:
                values[i] = value


def _refused(values: list[str], kinds: Mapping[int, str]) -> tuple[int, str, str] | None:
    """(place, value, reason) when the row is a total, or a formula failed in a column that is imported; None otherwise."""
    first = next((i for i, value in enumerate(values) if value), None)
    if first is None:
        return None
    if values[first].rstrip(":： ").lower() in _TOTALS:
        return first, values[first], "total_row"
    failed = next((i for i in kinds if values[i] in _ERRORS), None)
    return None if failed is None else (failed, values[failed], "formula_error")


def _cut_short(value: Any) -> bool:
    """Whether a number is longer than its digits; programs may store long numbers whole, then they end in anything."""
    if isinstance(value, float):
        return abs(value) >= _EXACT
    return isinstance(value, int) and abs(value) >= _EXACT and value % 10 ** (len(str(abs(value))) - 15) == 0


def _text(value: Any, kind: str | None = None, epoch: dt.datetime = dt.datetime(1899, 12, 30)) -> str:
    """A cell as the CSV import reads it. Times to the second: a sheet stores them as fractions of a day since `epoch`, and in
    a column of times also where the cell is not formatted as one."""
    if value is None:
        return ""
    if kind in ("time", "day") and isinstance(value, int | float) and not isinstance(value, bool):
        value = _moment(value, epoch)
    if isinstance(value, str):
        return re.sub(r"\s*[\r\n]+\s*", " ", value).strip()
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, dt.datetime):
        return f"{(value + dt.timedelta(microseconds=500_000)).replace(microsecond=0):%Y-%m-%d %H:%M:%S}"
    if isinstance(value, dt.date):
        return f"{value:%Y-%m-%d} 00:00:00"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else f"{value:.15g}"
    return str(value)


def _moment(days: float, epoch: dt.datetime) -> dt.datetime | float:
    """Days since `epoch` as a time, where that lies in this century; anything else (20260601) stays a number."""
    if not 0 < days < 80_000:
        return days
    at = epoch + dt.timedelta(days=days)
    return at if 2000 <= at.year <= 2099 else days


# --- the header --------------------------------------------------------------------------------------------------


@cache
def _known_titles() -> frozenset[str]:
    tables = catalog.tables().values()
    return frozenset(names.fold(w) for t in tables for n, c in t.columns.items() for w in (n, *c.aliases))


def _header(rows: Sequence[Sequence[Any]], words: frozenset[str]) -> tuple[tuple[str, ...], int] | None:
    """(titles, row) of the header: the first row with the most titles that are in `words`; when none is, the first
    row of nothing but texts that is as wide as any, then the first row that is not empty. None for an empty sheet."""
    texts = [[_text(v) for v in row] for row in rows]
    filled = [sum(map(bool, row)) for row in texts]
    if not any(filled):
        return None
    only_texts = [all(isinstance(v, str) for v in row if v is not None) for row in rows]
    titles = [_titles(texts, i) if n and only_texts[i] else texts[i] for i, n in enumerate(filled)]
    known = [sum(names.fold(t) in words for t in row if t) for row in titles]
    if max(known):
        at = known.index(max(known))
    else:
        wide = (i for i, n in enumerate(filled) if n == max(filled) and only_texts[i])
        at = next(wide, next(i for i, n in enumerate(filled) if n))
    width = max(i + 1 for i, t in enumerate(titles[at]) if t)
    return tuple(t or _letter(i) for i, t in enumerate(titles[at][:width])), at + 1


def _titles(texts: list[list[str]], i: int) -> list[str]:
    """Row `i` as a header: a title merged downwards stands in the row above, whose single cell would be the sheet's title."""
    above = texts[i - 1] if i else []
    if sum(map(bool, above)) < 2:
        return texts[i]
    return [own or over for own, over in zip_longest(texts[i], above, fillvalue="")]


def _letter(i: int) -> str:
    """What the sheet itself calls the column (from 0) that has no title."""
    return (_letter(i // 26 - 1) if i >= 26 else "") + chr(65 + i % 26)


# --- opening -----------------------------------------------------------------------------------------------------


def _scan(path: Path, sheet: Any, header_row: int) -> tuple[int, dict[int, list[tuple[int, int]]]]:
    """(rows, areas merged downwards below the header) of a sheet, found in its text: reading the cells would take a hundred
    times as long, and streamed sheets do not tell what is merged."""
    from openpyxl.utils import column_index_from_string

    rows, found = 0, 0
    merged: dict[int, list[tuple[int, int]]] = {}
    with zipfile.ZipFile(path) as packed, packed.open(sheet._worksheet_path) as f:
        rest = b""
        while piece := f.read(_CHUNK):
            whole, mark, rest = (rest + piece).rpartition(b"<")  # a tag may go on in the next piece
            rest = mark + rest if len(rest) < _CHUNK else b""
            rows += len(_ROW.findall(whole))
            if b"mergeCell" not in whole:
                continue
            for column, first, last in _MERGED.findall(whole):
                if int(last) > int(first) > header_row:
                    found += 1
                    place = column_index_from_string(column.decode()) - 1
                    merged.setdefault(place, []).append((int(first), int(last)))
            if found > _MAX_MERGED:
                raise NeedsPerson("xlsx_too_big", file=path.name)
    return rows, merged


def _visible(book: Any) -> list[Any]:
    return [s for s in book.worksheets if s.sheet_state == "visible"]


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """The workbook, streamed, with the values that formulas had when it was saved."""
    _check(path)
    import openpyxl

    book = None
    try:
        with path.open("rb") as f:  # by a path, openpyxl would refuse one that does not end in .xlsx
            book = openpyxl.load_workbook(f, read_only=True, data_only=True)
            yield book
    except WarRoomError:
        raise
    except Exception as e:  # openpyxl stumbles over broken parts in whatever way the part makes it
        raise NeedsPerson("xlsx_broken", file=path.name) from e
    finally:
        if book is not None:
            book.close()


def _check(path: Path) -> None:
    """NeedsPerson when the file is not an .xlsx that can be unpacked without harm."""
    refuse_no_file(path)
    try:
        with path.open("rb") as f:
            head = f.read(4)
            if head == OLE:
                with mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ) as data:
                    locked = data.find("EncryptedPackage".encode("utf-16-le")) >= 0
                raise NeedsPerson("xlsx_locked" if locked else "not_xlsx", file=path.name)
    except PermissionError as e:
        raise NeedsPerson("no_permission", path=str(path)) from e
    if not head:
        raise NeedsPerson("file_empty", file=path.name)
    if head != ZIP:
        raise NeedsPerson("not_xlsx", file=path.name)
    try:
        with zipfile.ZipFile(path) as packed:
            parts = packed.infolist()
    except zipfile.BadZipFile as e:
        raise NeedsPerson("xlsx_broken", file=path.name) from e
    if not any(p.filename == "xl/workbook.xml" for p in parts):
        raise NeedsPerson("not_xlsx", file=path.name)
    if any(p.flag_bits & 1 for p in parts):
        raise NeedsPerson("xlsx_locked", file=path.name)
    unpacked = sum(p.file_size for p in parts)
    texts = sum(p.file_size for p in parts if not p.filename.startswith("xl/worksheets/"))
    too_dense = unpacked > _SMALL and unpacked > _MAX_RATIO * path.stat().st_size
    if unpacked > _MAX_UNPACKED or texts > _MAX_TEXTS or too_dense:
        raise NeedsPerson("xlsx_too_big", file=path.name)
