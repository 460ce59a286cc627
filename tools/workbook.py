"""Which sheets of a workbook hold the table that is imported, and their rows."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from knowledge import catalog
from tools import names, spreadsheet
from tools.errors import NeedsPerson
from tools.ledger import Job
from tools.mapping import Mapping, mapped, missing, places
from tools.records import CsvRecords, Part
from tools.sources import scratch
from tools.spreadsheet import Sheet
from tools.textfile import open_text


@contextmanager
def fitting_sheets(path: Path, job: Job, progress: Callable[[float], None] | None = None) -> Iterator[Iterator[Part]]:
    """Every visible sheet that has all required columns, one after the other; if none has, the one that lacks least.

    A sheet that has all columns of another table too, and more of them, is left to that table (`other_sheets`), unless no other
    would be left; one without a row is passed over, unless none has any. Everything said about the file is about the
    original. NeedsPerson where a number in a column that is imported has lost digits: other orders would become one.
    """
    titles = list(job.mapping.columns.values()) if job.mapping else []
    chosen, others = _chosen(spreadsheet.sheets(path, titles), job.table, job.mapping)
    filled = [s for s in chosen if s.rows] or chosen[:1]
    with path.open("rb") as f:
        digest = hashlib.file_digest(f, "sha256").hexdigest()
    with scratch(job.engine.path.parent) as folder:
        yield _parts(path, digest, filled, others, job, folder, progress)


def _parts(
    path: Path,
    digest: str,
    sheets: list[Sheet],
    others: list[str],
    job: Job,
    folder: Path,
    progress: Callable[[float], None] | None,
) -> Iterator[Part]:
    definition = catalog.tables()[job.table]
    copy = folder / "sheet.csv"
    for sheet in sheets:
        where = places(sheet.header, definition, job.mapping)
        kinds = {i: definition.columns[name].type for name, i in where.items()}
        written = spreadsheet.to_csv(path, sheet, copy, kinds=kinds, progress=progress)
        if not written.rows and not written.refused and len(sheets) > 1:
            continue
        for title, row in written.lost.items():
            if sheet.header.index(title) in kinds:
                raise NeedsPerson("digits_lost", file=path.name, row=row, column=title)
        with open_text(copy) as text:
            records = CsvRecords(replace(text, path=path, sha256=digest), list(sheet.header), expected=written.rows)
            refused = [(row, sheet.header[i], value, reason) for row, i, value, reason in written.refused]
            yield Part(records, sheet.name, tuple(others), refused)


def _chosen(found: list[Sheet], table: str, mapping: Mapping | None) -> tuple[list[Sheet], list[str]]:
    """(the sheets to import, names of those that fit but are left to another table)."""
    definition = catalog.tables()[table]
    fit = [s for s in found if not missing(s.header, definition, mapping) and _has_all(s, mapping)]
    if not fit:
        lacks = {
            s.name: (not _has_all(s, mapping), len(missing(s.header, definition, mapping)), -len(s.header))
            for s in found
        }
        return [min(found, key=lambda s: lacks[s.name])], []
    own = fit if mapping is not None else [s for s in fit if not _of_another(s, table)]
    chosen = own or fit
    return chosen, [s.name for s in fit if s not in chosen and s.rows]


def _has_all(sheet: Sheet, mapping: Mapping | None) -> bool:
    """Whether the sheet has every header that the mapping names."""
    titles = {names.fold(t) for t in sheet.header}
    return mapping is None or {names.fold(t) for t in mapping.columns.values()} <= titles


def _of_another(sheet: Sheet, table: str) -> bool:
    tables = catalog.tables()
    known = len(mapped(sheet.header, tables[table]))
    return any(
        len(mapped(sheet.header, other)) > known and not missing(sheet.header, other)
        for key, other in tables.items()
        if key != table
    )
