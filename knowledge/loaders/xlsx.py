"""Workbooks as documents: each sheet a section, each row a passage with the titles of its columns.

Sheets are streamed, so what a cell claims about the sheet's size costs nothing; merged areas are read from the sheet's text. Data
of thousands of rows belong into the import (tools/spreadsheet.py), not among documents.
"""

from __future__ import annotations

import datetime as dt
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from knowledge.loaders.blocks import Block, Grid, Loaded, Progress, Row, Unreadable
from knowledge.loaders.package import check

_MAX_ROWS, _MAX_COLUMNS = 5_000, 200
_MERGED = re.compile(rb"""<(?:\w+:)?mergeCell\s[^>]*?ref=["']([A-Z]+)([0-9]+):([A-Z]+)([0-9]+)["']""")
_DEFAULT_NAME = re.compile(r"(?:sheet|工作表)\s*\d*", re.IGNORECASE)
_TITLE = 20  # characters of a column's title

Line = tuple[
    int, list[str], list[bool]
]  # row from 1, its cells, which of them are its own (not taken over from merged ones)


def load(path: Path, progress: Progress | None = None) -> Loaded:
    """Raises Unreadable when the file is no workbook, locked, broken, would unpack to too much, or holds thousands of rows."""
    check(path, "Excel", "xl/workbook.xml")
    import openpyxl

    blocks: list[Block] = []
    try:
        with path.open("rb") as f:
            book = openpyxl.load_workbook(f, read_only=True, data_only=True)
            sheets = [s for s in book.worksheets if s.sheet_state == "visible"]
            for n, sheet in enumerate(sheets):
                if progress:
                    progress(n, len(sheets))
                lines = _lines(sheet, _merged(path, sheet))
                if len(sheets) > 1 or not _DEFAULT_NAME.fullmatch(sheet.title.strip()):
                    blocks.append(Block("heading", sheet.title.strip(), 1, gap=2))
                blocks += _sheet(lines)
            book.close()
    except Unreadable:
        raise
    except Exception as e:  # openpyxl stumbles over broken parts in whatever way the part makes it
        raise Unreadable("document_broken") from e
    return Loaded(blocks)


def _merged(path: Path, sheet: Any) -> list[tuple[int, int, int, int]]:
    """(first row, first column, last row, last column) of the merged areas, columns from 0."""
    from openpyxl.utils import column_index_from_string

    with zipfile.ZipFile(path) as packed:
        found = _MERGED.findall(packed.read(sheet._worksheet_path))

    def column(letters: bytes) -> int:
        return int(column_index_from_string(letters.decode())) - 1

    return [(int(top), column(left), int(bottom), column(right)) for left, top, right, bottom in found]


def _lines(sheet: Any, merged: list[tuple[int, int, int, int]]) -> list[Line]:
    """The rows with anything in them; merged areas filled."""
    sheet.reset_dimensions()  # they may claim millions of columns
    rows: list[tuple[int, list[str]]] = []
    for number, row in enumerate(sheet.iter_rows(), start=1):
        cells = [_text(c) for c in row[:_MAX_COLUMNS]]
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            rows.append((number, cells))
        if len(rows) > _MAX_ROWS:
            raise Unreadable("document_is_data", rows=_MAX_ROWS)
    by_number = dict(rows)
    width = max((len(c) for _, c in rows), default=0)
    own = {number: [True] * width for number, _ in rows}
    for _, cells in rows:
        cells += [""] * (width - len(cells))
    numbers = sorted(by_number)
    for top, left, bottom, right in merged:
        if top not in by_number or left >= width:
            continue
        for number in (n for n in numbers if top <= n <= bottom):
            for column in range(left, min(right, width - 1) + 1):
                if (number, column) != (top, left):
                    by_number[number][column], own[number][column] = by_number[top][left], False
    return [(number, by_number[number], own[number]) for number in numbers]


def _sheet(lines: list[Line]) -> Iterator[Block]:
    """The tables of a sheet, parted by empty rows, and the single cells above and below them as text."""
    header: list[str] | None = None
    for region in _regions(lines):
        while region and _filled(region[0]) == 1:
            yield Block("text", next(c for c in region[0][1] if c))
            region = region[1:]
        if not region:
            continue
        titled = _is_header(region[0]) and len(region) > 1
        if titled:
            header = region[0][1]
        elif header is not None and any(c and not h for c, h in zip(region[0][1], header, strict=True)):
            header = None
        rows = []
        for _, cells, own in region[1:] if titled else region:
            text = " | ".join(c for c, o in zip(cells, own, strict=True) if o and c)
            if text:
                rows.append(Row(tuple(cells), text, next((i for i, o in enumerate(own) if o), 0)))
        if rows:
            titles = tuple(header) if header is not None else ("",) * len(region[0][1])
            yield Block("table", "", grid=Grid(titles, tuple(rows), sure=not titled))


def _regions(lines: list[Line]) -> Iterator[list[Line]]:
    region: list[Line] = []
    for line in lines:
        if region and line[0] != region[-1][0] + 1:
            yield region
            region = []
        region.append(line)
    if region:
        yield region


def _filled(line: Line) -> int:
    return sum(bool(c) and o for c, o in zip(line[1], line[2], strict=True))


def _is_header(line: Line) -> bool:
    """Whether a row is the titles of what stands below: short texts, no two alike unless merged, no plain numbers or dates."""
    cells = [c for c, o in zip(line[1], line[2], strict=True) if c and o]
    plain = any(re.fullmatch(r"[\d.,:%/年月日\s-]+", c) for c in cells)
    return len(cells) > 1 and len(set(cells)) == len(cells) and not plain and all(len(c) <= _TITLE for c in cells)


def _text(cell: Any) -> str:
    """A cell as its reader sees it, near enough: days without midnight, shares in percent, whole numbers without a point."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, dt.datetime):
        whole = value.time() == dt.time()
        return f"{value:%Y-%m-%d}" if whole else f"{value:%Y-%m-%d %H:%M:%S}".removesuffix(":00")
    if isinstance(value, int | float) and "%" in str(cell.number_format or ""):
        return f"{value * 100:.10g}%"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else f"{value:.15g}"
    return str(value).strip()
