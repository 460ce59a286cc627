"""Import: files of the merchant into the tables of the catalogue, all or nothing per file (domain: merchant data).

A bad row is never dropped silently: it goes to a reject file with line, column, value and reason, and
read = accepted + rejected. What is already there changes nothing: the same file is known by its content, an event that is
stored is not stored again, and a row of a table with a key replaces the rows of that key (`duplicates` counts the accepted
rows that added nothing). The file is read by DuckDB in parallel; line numbers are worked out only where rows were rejected.
"""

from __future__ import annotations

import csv
import hashlib
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import prompts
from knowledge import catalog
from knowledge.catalog import TableDef
from tools import names, spreadsheet
from tools.columns import bad, quote, reason, stored
from tools.engine import SQL_TYPES, Engine, plain
from tools.errors import AskAgain, NeedsPerson
from tools.store import drop_stored, names_of, replace_keys, store_events, store_keyed
from tools.textfile import BLANKS, MAX_LINE, TextFile, open_text

FORMATS = ("auto", "csv", "xlsx", "taobao-userbehavior")
Refused = tuple[int, str, str, str]  # line, column, value, reason
REJECT_COLUMNS = ("line", "column", "value", "reason")


@dataclass
class Report:
    """What one import did. `duplicates` are accepted rows that were stored already or stand twice in the file."""

    table: str
    file: str
    read: int = 0
    accepted: int = 0
    rejected: int = 0
    duplicates: int = 0
    rejects_file: str | None = None
    span: dict[str, str | None] = field(default_factory=lambda: {"from": None, "to": None})
    columns: dict[str, str] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)
    sheet: str | None = None
    also: dict[str, int] = field(default_factory=dict)
    elapsed_ms: int = 0

    def as_json(self) -> dict[str, Any]:
        return {k: v for k, v in self.__dict__.items() if k not in ("ignored", "sheet", "also") or v}


def table_key(word: str) -> str:
    """The catalogue table that `word` names; AskAgain with the nearest names otherwise."""
    tables = catalog.tables()
    for key, table in tables.items():
        if names.fold(word) in map(names.fold, (key, table.name.zh, table.name.en)):
            return key
    raise AskAgain("unknown_table", name=word, tables=", ".join(tables))


def import_file(
    engine: Engine,
    table: str,
    path: Path,
    fmt: str,
    rejects_dir: Path,
    now: datetime,
    *,
    lang: str = "en",
    progress: Callable[[float], None] | None = None,
) -> Report:
    """Import one file into `table`. Raises, with the data as before, when the file as a whole cannot be taken.

    `lang` is the language of the reasons in the reject file; `progress` is told the part done, 0 to 1. `fmt` "auto" tells
    spreadsheets from text by their content; of a spreadsheet, the first sheet whose columns fit best is imported.
    """
    began = time.perf_counter()
    if fmt == "xlsx" or (fmt == "auto" and spreadsheet.is_spreadsheet(path)):
        with _as_text(path, table) as (text, sheet), _watched(engine, progress):
            report = _import_csv(engine, table, text, rejects_dir, now, lang, fmt="xlsx")
            report.sheet = sheet
            report.elapsed_ms = round((time.perf_counter() - began) * 1000)
            return report
    with open_text(path) as text, _watched(engine, progress):
        if fmt == "taobao-userbehavior":
            if table not in ("events", "orders"):
                raise AskAgain("format_wants_events", table=table)
            report = _import_taobao(engine, text, rejects_dir, now, lang)
        else:
            report = _import_csv(engine, table, text, rejects_dir, now, lang)
    report.elapsed_ms = round((time.perf_counter() - began) * 1000)
    return report


@contextmanager
def _watched(engine: Engine, progress: Callable[[float], None] | None) -> Iterator[None]:
    """Tells `progress` how far the running statement is, from another thread."""
    if progress is None:
        yield
        return
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.2):
            part = engine.raw.query_progress()
            if part is not None and part >= 0:
                progress(part / 100)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


# --- reading CSV -------------------------------------------------------------------------------------------------


@contextmanager
def _as_text(path: Path, table: str) -> Iterator[tuple[TextFile, str]]:
    """(the sheet that fits `table` best as text, its name); everything said about the file is about the original.

    NeedsPerson where a number in a column that is imported has lost digits: other orders would become one.
    """
    definition = catalog.tables()[table]
    required = {name for name, c in definition.columns.items() if c.required}
    found = spreadsheet.sheets(path)
    sheet = min(found, key=lambda s: len(required - set(mapped(s.header, definition))))
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "sheet.csv"
        written = spreadsheet.to_csv(path, sheet, copy)
        places = mapped(sheet.header, definition)
        for title, row in written.lost.items():
            if sheet.header.index(title) in places.values():
                raise NeedsPerson("digits_lost", file=path.name, row=row, column=title)
        with open_text(copy) as text, path.open("rb") as f:
            yield replace(text, path=path, sha256=hashlib.file_digest(f, "sha256").hexdigest()), sheet.name


def _import_csv(
    engine: Engine, table: str, text: TextFile, rejects_dir: Path, now: datetime, lang: str, *, fmt: str = "csv"
) -> Report:
    definition = catalog.tables()[table]
    header = text.header()
    columns = map_header(header, definition, text.path.name, table)
    report = Report(
        table,
        str(text.path),
        columns={header[i]: name for name, i in columns.items()},
        ignored=[h for i, h in enumerate(header) if i not in columns.values()],
    )
    if _repeats(engine, report, text, fmt):
        return report
    source = _Source(text, len(header), skip_header=True)
    texts = {name: f"t{i}" for name, i in columns.items()}
    values = {
        name: stored(c, texts[name]) if name in texts else f"CAST(NULL AS {SQL_TYPES[c.type]})"
        for name, c in definition.columns.items()
    }
    typed = ", ".join(f'{value} AS "{name}"' for name, value in values.items())
    raw = ", ".join(f"t{i}" for i in range(len(header)))

    def rows(*, numbered: bool) -> str:
        """Every row that has the header's shape, typed; unreadable values as sentinels."""
        return f"SELECT {typed}{', _row' if numbered else ''} FROM ({source.texts(numbered=numbered)})"

    rejected = (
        f"SELECT *, {reason(table, definition, texts)} AS _verdict FROM (SELECT {typed}, {raw}, _row "
        f"FROM ({source.texts(numbered=True, keep_aside=True)})) WHERE {bad(table, definition)}"
    )
    with _transaction(engine):
        if definition.key:
            report.accepted, report.duplicates = store_keyed(engine, table, definition, rows(numbered=True), set(texts))
        else:
            report.accepted, report.duplicates = store_events(engine, table, definition, rows(numbered=False))
        # A line that is not stored was refused by the reader or by a rule (or is blank, or a value spans lines): only then
        # is the slower pass needed that keeps refused lines aside and knows line numbers.
        refused: list[Refused] = []
        if report.accepted != text.data_lines:
            refused = _rejects(engine, rejected, text, header, columns, titled=True) + source.rejects(engine)
        _finish(engine, report, refused, text, table, fmt, rejects_dir, now, lang)
    report.span = _span(engine, definition, table)
    return report


class _Source:
    """One CSV file as DuckDB reads it: every column as text, lines of a wrong shape kept aside with their place."""

    def __init__(self, text: TextFile, width: int, *, skip_header: bool) -> None:
        self.text = text
        self.width = width
        self.skip_header = skip_header

    def texts(self, *, numbered: bool, keep_aside: bool = False) -> str:
        """t0, t1, …: the values without blanks around them, NULL where empty; `_row` counts the rows from 1 in file order.

        `keep_aside`: running it notes the lines of a wrong shape, for `rejects`."""
        columns = ", ".join(f"'c{i}': 'VARCHAR'" for i in range(self.width))
        aside = (
            ", store_rejects=true, rejects_table='_reject_errors', rejects_scan='_reject_scans'" if keep_aside else ""
        )
        read = (
            f"read_csv({quote(str(self.text.utf8_path))}, auto_detect=false, header={str(self.skip_header).lower()}, "
            f"skip={self.text.blank_lines_before}, delim={quote(self.text.delimiter)}, quote='\"', escape='\"', "
            f"columns={{{columns}}}, ignore_errors=true, parallel={str(not numbered).lower()}, "
            f"max_line_size={4 * MAX_LINE}{aside})"
        )
        row = ", row_number() OVER () AS _row" if numbered else ""
        # Trimming a set of characters costs more than all the rest; most files do not need it.
        value = "nullif(trim(c{i}), '')" if self.text.clean else "nullif(trim(c{i}, " + quote(BLANKS) + "), '')"
        values = ", ".join(f"{value.format(i=i)} AS t{i}" for i in range(self.width))
        return f"SELECT {values}{row} FROM {read}"

    def rejects(self, engine: Engine) -> list[Refused]:
        """(line, column, value, reason) of the lines that do not have the header's shape."""
        found = engine.execute(
            "SELECT line_byte_position, error_type::VARCHAR, csv_line FROM _reject_errors "
            "QUALIFY row_number() OVER (PARTITION BY line_byte_position ORDER BY byte_position) = 1 ORDER BY 1"
        )
        engine.execute("DROP TABLE IF EXISTS _reject_errors")
        engine.execute("DROP TABLE IF EXISTS _reject_scans")
        lines = self.text.lines_at([int(position) - 1 for position, _, _ in found])
        return [
            (line, "", (csv_line or "").strip()[:500], _STRUCTURE.get(error, "unreadable_line"))
            for line, (_, error, csv_line) in zip(lines, found, strict=True)
        ]


_STRUCTURE = {
    "MISSING COLUMNS": "too_few_columns",
    "TOO MANY COLUMNS": "too_many_columns",
    "UNQUOTED VALUE": "open_quote",
    "LINE SIZE OVER MAXIMUM": "line_too_long",
}


def mapped(header: Sequence[str], table: TableDef) -> dict[str, int]:
    """column → its first place in the file, for the headers that the table knows."""
    words = {names.fold(word): name for name, column in table.columns.items() for word in (name, *column.aliases)}
    out: dict[str, int] = {}
    for i, title in enumerate(header):
        name = words.get(names.fold(title))
        if name is not None:
            out.setdefault(name, i)
    return out


def map_header(header: list[str], table: TableDef, file: str, key: str) -> dict[str, int]:
    """column → its place in the file. AskAgain when a required column is missing or two headers name one column."""
    out = mapped(header, table)
    for i, title in enumerate(header):
        twice = next((name for name in mapped([title], table) if out[name] != i), None)
        if twice is not None:
            raise AskAgain("header_twice", file=file, column=twice, first=header[out[twice]], second=title)
    missing = [name for name, column in table.columns.items() if column.required and name not in out]
    if missing:
        raise AskAgain(
            "header_missing",
            file=file,
            table=key,
            missing=", ".join(missing),
            accepted="; ".join("/".join([m, *table.columns[m].aliases[:3]]) for m in missing),
            seen=", ".join(header)[:300],
        )
    return out


def _rejects(
    engine: Engine, sql: str, text: TextFile, header: list[str], columns: dict[str, int], *, titled: bool
) -> list[Refused]:
    bad = engine.query(sql)
    lines = text.lines_of_records({row["_row"] for row in bad}, len(header), titled=titled)
    out = []
    for row in bad:
        column, reason = row["_verdict"].split("\t")
        value = row[f"t{columns[column]}"] if column in columns else ""
        title = header[columns[column]] if column in columns else column
        out.append((lines.get(row["_row"], 0), title, value or "", reason))
    return out


# --- Taobao's UserBehavior log -----------------------------------------------------------------------------------

_BEHAVIOUR = {"pv": "visit", "fav": "favorite", "cart": "cart"}


def _import_taobao(engine: Engine, text: TextFile, rejects_dir: Path, now: datetime, lang: str) -> Report:
    """user, item, category, behaviour, unix seconds; no header; +08:00. `buy` becomes a paid order line, amount unknown."""
    report = Report("events", str(text.path), columns=dict(TAOBAO))
    if _repeats(engine, report, text, "taobao-userbehavior"):
        return report
    events, orders = catalog.tables()["events"], catalog.tables()["orders"]
    width = len(text.first_record())
    if width != len(TAOBAO):
        raise NeedsPerson("taobao_columns", file=text.path.name, found=width)
    source = _Source(text, width, skip_header=False)
    second, kind = "try_cast(t4 AS BIGINT)", "lower(t3)"
    plausible = f"{second} BETWEEN 946684800 AND 4102444799"
    moment = f"CASE WHEN {plausible} THEN make_timestamp(({second} + 8 * 3600) * 1000000) END"
    verdict = (
        "CASE WHEN t0 IS NULL THEN 'user id\tmissing' "
        f"WHEN coalesce({kind}, '') NOT IN ('pv', 'fav', 'cart', 'buy') THEN 'behaviour\tnot_a_choice' "
        f"WHEN {kind} = 'buy' AND t1 IS NULL THEN 'item id\tmissing' "
        f"WHEN NOT coalesce({plausible}, false) THEN 'unix seconds\tnot_a_time' END"
    )

    def rows(*, numbered: bool, good: bool) -> str:
        base = source.texts(numbered=numbered, keep_aside=not good)
        typed = f"SELECT *, {kind} AS kind, {moment} AS moment, {verdict} AS _verdict FROM ({base})"
        return f"SELECT * FROM ({typed}) WHERE _verdict IS {'' if good else 'NOT '}NULL"

    kinds = " ".join(f"WHEN '{a}' THEN '{b}'" for a, b in _BEHAVIOUR.items())
    line = {
        "order_id": "'tb-' || t0 || '-' || t1 || '-' || t4", "user_id": "t0", "item_id": "t1",
        "category_id": "t2", "kind": "'normal'", "created_at": "moment", "paid_at": "moment",
    }  # fmt: skip
    order_values = ", ".join(
        f'{line[c]} AS "{c}"' if c in line else f'CAST(NULL AS {SQL_TYPES[d.type]}) AS "{c}"'
        for c, d in orders.columns.items()
    )
    with _transaction(engine):
        start = engine.execute("SELECT coalesce(max(rowid) + 1, 0) FROM events")[0][0]
        seen = engine.execute(
            f"INSERT INTO events ({names_of(events)}) SELECT t0, moment, CASE kind {kinds} END, t1, t2, NULL, NULL "
            f"FROM ({rows(numbered=False, good=True)}) WHERE kind <> 'buy'"
        )[0][0]
        duplicates = drop_stored(engine, "events", events, names_of(events), start)
        engine.execute(
            f"CREATE OR REPLACE TEMP TABLE _incoming AS SELECT {order_values}, _row "
            f"FROM ({rows(numbered=True, good=True)}) WHERE kind = 'buy'"
        )
        bought, same = replace_keys(engine, "orders", orders, set(orders.columns))
        report.accepted, report.duplicates = seen + bought, duplicates + same
        report.also = {"orders": bought}
        refused: list[Refused] = []
        if report.accepted != text.data_lines + 1:
            titles = list(TAOBAO)
            places = {t: i for i, t in enumerate(titles)}
            wrong = rows(numbered=True, good=False)
            refused = _rejects(engine, wrong, text, titles, places, titled=False) + source.rejects(engine)
        _finish(engine, report, refused, text, "events", "taobao-userbehavior", rejects_dir, now, lang)
    report.span = _span(engine, events, "events")
    return report


TAOBAO = {
    "user id": "user_id",
    "item id": "item_id",
    "category id": "category_id",
    "behaviour": "kind",
    "unix seconds": "ts",
}


# --- around it ---------------------------------------------------------------------------------------------------


@contextmanager
def _transaction(engine: Engine) -> Iterator[None]:
    """All or nothing: anything raised inside takes everything back."""
    import duckdb

    engine.execute("SET preserve_insertion_order = false")
    engine.execute("BEGIN")
    try:
        yield
    except BaseException as e:
        engine.execute("ROLLBACK")
        if isinstance(e, duckdb.Error):
            raise NeedsPerson("import_failed", detail=str(e).splitlines()[0]) from e
        if isinstance(e, RuntimeError) and "interrupted" in str(e):
            raise KeyboardInterrupt from e  # how DuckDB says that Ctrl-C was pressed
        if isinstance(e, OSError):
            raise NeedsPerson("no_permission", path=str(e.filename or "")) from e
        raise
    engine.execute("COMMIT")


def _finish(
    engine: Engine,
    report: Report,
    refused: list[Refused],
    text: TextFile,
    table: str,
    fmt: str,
    rejects_dir: Path,
    now: datetime,
    lang: str,
) -> None:
    """Counts, the reject file, the record of this import; NeedsPerson when the file was cut off in its last line."""
    report.rejected = len(refused)
    report.read = report.accepted + report.rejected
    last = max((line for line, *_ in refused), default=0)
    open_quote = next((line for line, _, _, reason in refused if reason == "open_quote"), None)
    if open_quote is not None:
        raise NeedsPerson("open_quote", file=text.path.name, line=open_quote)
    if refused and not text.ends_with_newline and last >= text.last_line:
        raise NeedsPerson("half_written", file=text.path.name, line=last)
    if report.read == 0:
        raise NeedsPerson("no_rows", file=text.path.name)
    if refused:
        report.rejects_file = str(_write_rejects(refused, rejects_dir, table, text, lang))
    engine.execute(
        "INSERT INTO _imports (file, sha256, target, format, read, accepted, rejected, duplicates, rejects_file, "
        "imported_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        (
            text.path.name, _identity(text, table), table, fmt, report.read, report.accepted, report.rejected,
            report.duplicates, report.rejects_file, now,
        ),
    )  # fmt: skip


def _write_rejects(refused: list[Refused], folder: Path, table: str, text: TextFile, lang: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{table}-{text.path.stem}-{text.sha256[:8]}.csv"
    with tempfile.NamedTemporaryFile("w", dir=folder, encoding="utf-8-sig", newline="", delete=False) as f:
        writer = csv.writer(f)
        writer.writerow(REJECT_COLUMNS)
        for line, column, value, reason in sorted(refused):
            writer.writerow([line, column, value, f"{reason}: {prompts.text(f'reason.{reason}', lang)}"])
    Path(f.name).replace(target)
    return target


def _repeats(engine: Engine, report: Report, text: TextFile, fmt: str) -> bool:
    """Whether the last import into the table was the same; then `report` says what it said, every row a duplicate."""
    known = _known_import(engine, text, report.table, fmt)
    if known is None:
        return False
    report.read, report.accepted, report.rejected, report.rejects_file = known
    report.duplicates = report.accepted
    report.span = _span(engine, catalog.tables()[report.table], report.table)
    return True


def _known_import(engine: Engine, text: TextFile, table: str, fmt: str) -> tuple[int, int, int, str | None] | None:
    """(read, accepted, rejected, reject file) when the last import into the table was this content, read by the same rules.

    After another file, or when the reject file is gone, or with other column names in the catalogue, the file is read again.
    """
    rows = engine.execute(
        "SELECT read, accepted, rejected, rejects_file, sha256, format FROM _imports WHERE target = $1 "
        "ORDER BY rowid DESC LIMIT 1",
        (table,),
    )
    if not rows or rows[0][4:] != (_identity(text, table), fmt):
        return None
    rejects_file = rows[0][3]
    if rejects_file is not None and not Path(rejects_file).exists():
        return None
    return rows[0][:4]


def _identity(text: TextFile, table: str) -> str:
    """The content and the columns' definition: either one changed makes another import."""
    definition = catalog.tables()[table].model_dump_json()
    return hashlib.sha256(f"{text.sha256}{definition}".encode()).hexdigest()


def _span(engine: Engine, definition: TableDef, table: str) -> dict[str, str | None]:
    if definition.time is None:
        return {"from": None, "to": None}
    low, high = engine.execute(f'SELECT min({definition.time}), max({definition.time}) FROM "{table}"')[0]
    return {"from": plain(low), "to": plain(high)}
