"""What a file is, before anything is done with it: which table it fits, which column is which, its first rows without anything
personal. Only the beginning of a long file is read."""

from __future__ import annotations

import csv
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Literal

import prompts
from knowledge import catalog
from knowledge.catalog import Column, TableDef
from tools import names, spreadsheet
from tools.documents import NEVER_TABLES, REFUSED, TYPES, read
from tools.errors import NeedsPerson
from tools.mapping import mapped
from tools.records import first_of_parquet, is_parquet
from tools.repairs import half_width, with_words
from tools.taobao import COLUMNS as TAOBAO
from tools.textfile import BLANKS, open_text

_HEAD = 1 << 22  # bytes of a text that are looked at
_ROWS = 2000  # rows that values are looked at in
_SHOWN, _WIDE = 3, 60  # rows, and characters of a value
_LIKELY = 0.2  # a file that lacks columns and scores less, or has one column of ours only, is no table of ours
_CLOSE = 0.8  # of the best score: a table that may have been meant as well
_TOO_MANY = 0.2  # of a column's values, that cannot be read
HIDDEN = "***"
# Columns of texts that say nothing about a single customer. Everything else that is text is hidden.
_OPEN = {
    "item_id", "category_id", "title", "source", "campaign", "crowd", "channel", "variant", "metric", "member_level",
}  # fmt: skip
PERSONAL = re.compile(r"(?<!\d)(?:\+?86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}(?!\d)|[\w.+-]+@[\w-]+\.\w+")  # phone, mail


@dataclass(frozen=True)
class Preview:
    """`score` (0 to 1): how well `table` fits; `alternatives`: other tables that the file could be imported into, best first.

    `columns`: header → column; `missing`: columns without which the table cannot be imported; `ignored`: headers that are not
    used. `rows`: of data, counted when `counted`, else estimated. `sample`: the first rows, header → value. `sections`: of a
    document. `format` is what the import is told.
    """

    file: str
    kind: Literal["table", "document", "unknown"]
    format: str = ""
    table: str | None = None
    score: float = 0.0
    alternatives: tuple[tuple[str, float], ...] = ()
    columns: dict[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    sheet: str | None = None
    rows: int = 0
    counted: bool = True
    sample: tuple[dict[str, str], ...] = ()
    sections: int = 0
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Part:
    """The beginning of a table: its titles, its first rows, how many rows there are."""

    header: list[str]
    records: list[list[str]]
    rows: int
    counted: bool


@dataclass(frozen=True)
class _Fit:
    table: str
    score: float
    missing: tuple[str, ...]
    columns: dict[str, int]


def preview(path: Path, lang: str) -> Preview:
    """What `path` is and what importing it would do; warnings are in `lang`.

    NeedsPerson when it cannot be read at all: missing, empty, binary, cut off, a locked or broken spreadsheet.
    """
    if path.suffix.lower() in REFUSED:
        raise NeedsPerson("document_type", file=path.name)
    if path.suffix.lower() in NEVER_TABLES:
        return Preview(path.name, "document", sections=len(read(path).parts))
    if spreadsheet.is_spreadsheet(path):
        return _of_spreadsheet(path, lang)
    with _beginning(path) as part:
        if _is_taobao(part):
            return _of_taobao(path.name, part)
        found = _of_table(path, "parquet" if is_parquet(path) else "csv", part, lang)
    if path.suffix.lower() in TYPES and (found.kind == "unknown" or found.missing):
        return Preview(path.name, "document", sections=len(read(path).parts))
    return found


def _of_table(path: Path, fmt: str, part: _Part, lang: str) -> Preview:
    fits = _fits(part, path.stem)
    best = fits[0] if fits else None
    if best is None or (best.missing and (best.score < _LIKELY or len(best.columns) < 2)):
        return Preview(path.name, "unknown", ignored=tuple(part.header), rows=part.rows, counted=part.counted)
    columns = {part.header[i]: name for name, i in best.columns.items()}
    others = [f for f in fits[1:] if not f.missing]
    found = Preview(
        file=path.name,
        kind="table",
        format=fmt,
        table=best.table,
        score=best.score,
        alternatives=tuple((f.table, f.score) for f in others),
        columns=columns,
        missing=best.missing,
        ignored=tuple(h for i, h in enumerate(part.header) if i not in best.columns.values()),
        rows=part.rows,
        counted=part.counted,
        sample=_sample(part.records, {part.header[i]: (name, i) for name, i in best.columns.items()}),
    )
    return replace(found, warnings=tuple(_warnings(part, best, others, lang)))


def _warnings(part: _Part, best: _Fit, others: list[_Fit], lang: str) -> Iterator[str]:
    definition = catalog.tables()[best.table]
    for name in best.missing:
        accepted = "/".join([name, *definition.columns[name].aliases[:4]])
        yield prompts.text("preview.missing", lang, column=name, accepted=accepted)
    for title, name in _twice(part.header, definition):
        yield prompts.text("preview.twice", lang, title=title, column=name)
    if others and others[0].score >= best.score * _CLOSE:
        yield prompts.text("preview.also_fits", lang, table=catalog.tables()[others[0].table].name.get(lang))
    for name, i in best.columns.items():
        values = [r[i] for r in part.records if i < len(r) and r[i]]
        unread = sum(not reads(definition.columns[name], v) for v in values)
        if unread > len(values) * _TOO_MANY:
            yield prompts.text("preview.unreadable", lang, title=part.header[i], column=name)
    if not part.records:
        yield prompts.text("preview.no_rows", lang)


def _twice(header: Sequence[str], definition: TableDef) -> list[tuple[str, str]]:
    """(title, column) of titles that name a column which another title named before."""
    first = mapped(header, definition)
    pairs = ((t, i, name) for i, t in enumerate(header) for name in mapped([t], definition))
    return [(t, name) for t, i, name in pairs if first[name] != i]


# --- which table -------------------------------------------------------------------------------------------------


def _fits(part: _Part, stem: str) -> list[_Fit]:
    """Tables that know any of the titles, best first, by titles, values and what is missing; the file's name decides a tie.

    A title that few tables know says more: it weighs one through their number.
    """
    tables = catalog.tables()
    places = {key: mapped(part.header, table) for key, table in tables.items()}
    known_by = [[key for key in tables if i in places[key].values()] for i in range(len(part.header))]
    whole = sum(1 / len(k) for k in known_by if k)
    fits = []
    for key, table in tables.items():
        columns = places[key]
        if not columns:
            continue
        titles = sum(1 / len(known_by[i]) for i in columns.values()) / whole
        required = [name for name, c in table.columns.items() if c.required]
        missing = tuple(name for name in required if name not in columns)
        score = titles * (1 + _readable(part, table, columns)) / 2 * (1 - len(missing) / len(required))
        fits.append(_Fit(key, round(score, 3), missing, columns))
    return sorted(fits, key=lambda f: (-f.score, bool(f.missing), not _named(stem, tables[f.table], f.table)))


def _named(stem: str, table: TableDef, key: str) -> bool:
    folded = names.fold(stem)
    return any(names.fold(w).rstrip("s") in folded for w in (key, table.name.zh, table.name.en))


def _readable(part: _Part, table: TableDef, columns: dict[str, int]) -> float:
    """The share of values that the table could store, over its columns that are not plain text."""
    shares = []
    for name, i in columns.items():
        values = [r[i] for r in part.records if i < len(r) and r[i]]
        if values and table.columns[name].type != "text":
            shares.append(sum(reads(table.columns[name], v) for v in values) / len(values))
    return sum(shares) / len(shares) if shares else 1.0


def reads(column: Column, value: str) -> bool:
    """Whether the import would hardly refuse the value; what it really takes is decided in tools/columns.py."""
    if column.type == "choice":
        return value.lower() in {w.lower() for key, words in column.values.items() for w in (key, *words)}
    if column.type in ("time", "day"):
        try:
            day = re.sub(r"(\d+)年(\d+)月(\d+)[日号]\s*", r"\1-\2-\3 ", value).replace("/", "-").strip()
            datetime.fromisoformat(re.sub(r"\s+(?=[+-])", "", re.sub(r"\b(\d)\b", r"0\1", day)))
        except ValueError:
            return False
        return True
    if column.type == "flag":
        return value.lower() in {"0", "1", "true", "false", "y", "n", "yes", "no", "是", "否"}
    if column.type == "text":
        return True
    return "-" not in value and re.fullmatch(with_words(column.type), half_width(value)) is not None


# --- what is shown -----------------------------------------------------------------------------------------------


def _sample(records: list[list[str]], places: dict[str, tuple[str, int]]) -> tuple[dict[str, str], ...]:
    """The first rows, of the titles at their (column, place). Nothing personal: of texts only what is known to be none, and
    no column that we do not know."""
    definitions = [c for t in catalog.tables().values() for c in t.columns.items()]
    hidden = {name for name, c in definitions if c.type == "text"} - _OPEN
    return tuple(
        {title: _shown(r[i] if i < len(r) else "", hidden=name in hidden) for title, (name, i) in places.items()}
        for r in records[:_SHOWN]
    )


def _shown(value: str, *, hidden: bool) -> str:
    return HIDDEN if hidden and value else PERSONAL.sub(HIDDEN, value)[:_WIDE]


# --- reading the beginning ---------------------------------------------------------------------------------------


def first_rows(path: Path, table: str, titles: Sequence[str] = ()) -> tuple[list[str], list[list[str]]]:
    """(titles, first rows) of what would be imported into `table`: a text, or the sheet whose titles fit it best. `titles` are
    known beside the catalogue's."""
    if not spreadsheet.is_spreadsheet(path):
        with _beginning(path) as part:
            return part.header, part.records
    definition, known = catalog.tables()[table], {names.fold(t) for t in titles}

    def fit(sheet: spreadsheet.Sheet) -> tuple[int, int]:
        likely = len(mapped(sheet.header, definition)) + sum(names.fold(t) in known for t in sheet.header)
        return likely, len(sheet.header)

    sheet = max(spreadsheet.sheets(path, titles), key=fit)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "sheet.csv"
        spreadsheet.to_csv(path, sheet, copy, limit=sheet.header_row + _ROWS)
        header, records, _ = _records(copy, ",")
        return header, records


@contextmanager
def _beginning(path: Path) -> Iterator[_Part]:
    """The first rows of a text or Parquet file; of a long text only the first blocks are read."""
    if is_parquet(path):
        header, records, n = first_of_parquet(path, _ROWS)
        yield _Part(header, records, n, True)
        return
    size = path.stat().st_size if path.is_file() else 0
    if size <= _HEAD:
        with open_text(path) as text:
            header, records, n = _records(text.utf8_path, text.delimiter)
            yield _Part(header, records, n, True)
        return
    with tempfile.TemporaryDirectory() as folder, path.open("rb") as f:
        head = f.read(_HEAD)
        end = _whole_lines(head)
        part = Path(folder) / path.name
        part.write_bytes(head[:end])
        with open_text(part) as text:
            header, records, n = _records(text.utf8_path, text.delimiter)
            yield _Part(header, records, round(n * size / end), False)


def _whole_lines(head: bytes) -> int:
    """Where the last whole line ends: at a line end outside quotes."""
    end = head.rfind(b"\n") + 1
    for _ in range(200):
        if not head.count(b'"', 0, end) % 2 or end <= 0:
            break
        end = head.rfind(b"\n", 0, end - 1) + 1
    return end or len(head)


def _records(path: Path, delimiter: str) -> tuple[list[str], list[list[str]], int]:
    """(titles, first rows, number of rows) of a UTF-8 text."""
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as f:
        reader = ([v.strip(BLANKS) for v in r] for r in csv.reader(f, delimiter=delimiter) if any(r))
        header = next(reader, [])
        records = list(islice(reader, _ROWS))
        return header, records, len(records) + sum(1 for _ in reader)


def _of_spreadsheet(path: Path, lang: str) -> Preview:
    found = []
    for sheet in spreadsheet.sheets(path):
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "sheet.csv"
            written = spreadsheet.to_csv(path, sheet, copy, limit=sheet.header_row + _ROWS)
            header, records, n = _records(copy, ",")
        part = _Part(header, records, n, True) if n < _ROWS else _Part(header, records, sheet.rows, False)
        one = replace(_of_table(path, "xlsx", part, lang), sheet=sheet.name)
        lost = [t for t in written.lost if t in one.columns]
        if lost:
            error = NeedsPerson("digits_lost", file=path.name, row=written.lost[lost[0]], column=lost[0])
            one = replace(one, warnings=(*one.warnings, f"{error.message(lang)} {error.hint(lang)}"))
        found.append(one)
    best = min(found, key=lambda p: (p.kind == "unknown", -p.score))
    others = [p for p in found if p is not best and p.kind == "table" and not p.missing]
    same = [p.sheet for p in others if p.table == best.table and p.sheet]
    rest = [p.sheet for p in others if p.table != best.table and p.sheet]
    warnings = list(best.warnings)
    if same:
        warnings.append(prompts.text("preview.also_sheets", lang, sheets=", ".join(same), sheet=best.sheet))
    if rest:
        warnings.append(prompts.text("preview.other_sheets", lang, sheets=", ".join(rest)))
    return replace(best, warnings=tuple(warnings))


# --- Taobao's UserBehavior log -----------------------------------------------------------------------------------


def _is_taobao(part: _Part) -> bool:
    rows = [part.header, *part.records]
    fits = [
        len(r) == len(TAOBAO) and r[3].lower() in ("pv", "fav", "cart", "buy") and r[4].isdecimal() and len(r[4]) == 10
        for r in rows
    ]
    return fits[0] and sum(fits) > 0.9 * len(fits)


def _of_taobao(file: str, part: _Part) -> Preview:
    rows = [part.header, *part.records]
    sample = _sample(rows, {title: (name, i) for i, (title, name) in enumerate(TAOBAO.items())})
    return Preview(
        file, "table", "taobao-userbehavior", "events", 1.0,
        columns=dict(TAOBAO), rows=part.rows + 1, counted=part.counted, sample=sample,
    )  # fmt: skip
