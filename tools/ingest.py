"""Import: files of the merchant into the tables of the catalogue, all or nothing per file (domain: merchant data).

A bad row is never dropped silently: it goes to a reject file with line, column, value and reason, and
read = accepted + rejected. What is already there changes nothing: the same file is known by its content, an event that is
stored is not stored again, and a row of a table with a key replaces the rows of that key (`duplicates` counts the accepted
rows that added nothing). The file is read by DuckDB in parallel; line numbers are worked out only where rows were rejected.
"""

from __future__ import annotations

import csv
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import prompts
from knowledge import catalog
from knowledge.catalog import Column, TableDef
from tools import names
from tools.columns import ROW_RULES, problem, quote, typed
from tools.engine import SQL_TYPES, Engine, plain
from tools.errors import AskAgain, NeedsPerson
from tools.textfile import TextFile, open_text

FORMATS = ("auto", "csv", "taobao-userbehavior")
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
    also: dict[str, int] = field(default_factory=dict)
    elapsed_ms: int = 0

    def as_json(self) -> dict[str, Any]:
        return {k: v for k, v in self.__dict__.items() if k not in ("ignored", "also") or v}


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

    `lang` is the language of the reasons in the reject file; `progress` is told the part done, 0 to 1.
    """
    began = time.perf_counter()
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


def _import_csv(engine: Engine, table: str, text: TextFile, rejects_dir: Path, now: datetime, lang: str) -> Report:
    definition = catalog.tables()[table]
    header = text.header()
    columns = map_header(header, definition, text.path.name, table)
    report = Report(
        table,
        str(text.path),
        columns={header[i]: name for name, i in columns.items()},
        ignored=[h for i, h in enumerate(header) if i not in columns.values()],
    )
    known = _known_import(engine, text, table, "csv")
    if known is not None:
        report.read, report.accepted, report.rejected = known
        report.duplicates = report.accepted
        report.span = _span(engine, definition, table)
        return report
    source = _Source(text, len(header), skip_header=True)
    values = {
        name: typed(c, f"c{columns[name]}") if name in columns else f"CAST(NULL AS {_sql_type(c)})"
        for name, c in definition.columns.items()
    }
    checks = [problem(name, definition.columns[name], f"c{i}", values[name]) for name, i in columns.items()]
    select = ", ".join(f'{value} AS "{name}"' for name, value in values.items())
    problems = [c for c in checks if c != "NULL"]
    problem_sql = f"coalesce({', '.join(problems)}, NULL)" if problems else "NULL"
    inner = f"SELECT {select}, {problem_sql} AS _problem"
    rules = "".join(
        f" WHEN {rule} THEN {quote(column + chr(9) + reason)}" for column, reason, rule in ROW_RULES.get(table, [])
    )
    verdict = f"coalesce(_problem, CASE{rules} END)" if rules else "_problem"

    def rows(parallel: bool, keep: str) -> str:
        order = ", row_number() OVER () AS _row" if not parallel else ""
        raw = ", " + ", ".join(f"c{i}" for i in range(len(header))) if keep == "rejects" else ""
        base = f"SELECT *{order} FROM {source.sql(parallel=parallel, keep_aside=keep == 'good')}"
        typed_rows = f"{inner}{', _row' if order else ''}{raw} FROM ({base})"
        checked = f"SELECT *, {verdict} AS _verdict FROM ({typed_rows})"
        return f"SELECT * FROM ({checked}) WHERE _verdict IS {'NOT ' if keep == 'rejects' else ''}NULL"

    names_sql = ", ".join(f'"{c}"' for c in definition.columns)
    with _transaction(engine):
        store = _store_keyed if definition.key else _store_events
        report.accepted, report.duplicates = store(engine, table, definition, names_sql, rows)
        structural = source.rejects(engine)
        # Every line that is neither stored nor refused by the reader was refused by a rule (or is blank, or a value spans
        # lines): only then is the slower pass needed that knows line numbers.
        refused: list[tuple[int, str, str, str]] = list(structural)
        if report.accepted + len(structural) != text.data_lines:
            refused += _rejects(engine, rows(False, "rejects"), text, header, columns, titled=True)
        _finish(engine, report, refused, text, table, "csv", rejects_dir, now, lang)
    report.span = _span(engine, definition, table)
    return report


class _Source:
    """One CSV file as DuckDB reads it: every column as text, lines of a wrong shape kept aside with their place."""

    def __init__(self, text: TextFile, width: int, *, skip_header: bool) -> None:
        self.text = text
        self.width = width
        self.skip_header = skip_header

    def sql(self, *, parallel: bool, keep_aside: bool) -> str:
        columns = ", ".join(f"'c{i}': 'VARCHAR'" for i in range(self.width))
        aside = (
            ", store_rejects=true, rejects_table='_reject_errors', rejects_scan='_reject_scans'" if keep_aside else ""
        )
        return (
            f"read_csv({quote(str(self.text.utf8_path))}, auto_detect=false, header={str(self.skip_header).lower()}, "
            f"delim={quote(self.text.delimiter)}, quote='\"', escape='\"', columns={{{columns}}}, "
            f"ignore_errors=true, parallel={str(parallel).lower()}, max_line_size=2097152{aside})"
        )

    def rejects(self, engine: Engine) -> list[tuple[int, str, str, str]]:
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


def map_header(header: list[str], table: TableDef, file: str, key: str) -> dict[str, int]:
    """column → its place in the file. AskAgain when a required column is missing or two headers name one column."""
    words = {names.fold(word): name for name, column in table.columns.items() for word in (name, *column.aliases)}
    out: dict[str, int] = {}
    for i, title in enumerate(header):
        name = words.get(names.fold(title))
        if name is None:
            continue
        if name in out:
            raise AskAgain("header_twice", file=file, column=name, first=header[out[name]], second=title)
        out[name] = i
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
) -> list[tuple[int, str, str, str]]:
    bad = engine.query(sql)
    lines = text.lines_of_records({row["_row"] for row in bad}, len(header), titled=titled)
    out = []
    for row in bad:
        column, reason = row["_verdict"].split("\t")
        value = row[f"c{columns[column]}"] if column in columns else ""
        title = header[columns[column]] if column in columns else column
        out.append((lines.get(row["_row"], 0), title, value or "", reason))
    return out


# --- storing -----------------------------------------------------------------------------------------------------

Rows = Callable[[bool, str], str]


def _store_events(engine: Engine, table: str, definition: TableDef, names_sql: str, rows: Rows) -> tuple[int, int]:
    """Append; then take out again what was stored before or stands twice. Returns (accepted, duplicates)."""
    start = engine.execute(f'SELECT coalesce(max(rowid) + 1, 0) FROM "{table}"')[0][0]
    accepted = engine.execute(f'INSERT INTO "{table}" SELECT {names_sql} FROM ({rows(True, "good")})')[0][0]
    return accepted, _drop_stored(engine, table, definition, names_sql, start)


def _drop_stored(engine: Engine, table: str, definition: TableDef, names_sql: str, start: int) -> int:
    dropped = 0
    distinct = engine.execute(
        f'SELECT count(*), count(DISTINCT hash({names_sql})) FROM "{table}" WHERE rowid >= {start}'
    )[0]
    if distinct[0] != distinct[1]:
        dropped += engine.execute(
            f'DELETE FROM "{table}" WHERE rowid IN (SELECT r FROM (SELECT rowid AS r, row_number() OVER '
            f'(PARTITION BY {names_sql} ORDER BY rowid) AS n FROM "{table}" WHERE rowid >= {start}) WHERE n > 1)'
        )[0][0]
    t = definition.time
    before = engine.execute(f'SELECT min({t}), max({t}) FROM "{table}" WHERE rowid < {start}')[0]
    if before[0] is not None:
        same = " AND ".join(f'o."{c}" IS NOT DISTINCT FROM n."{c}"' for c in definition.columns)
        dropped += engine.execute(
            f'DELETE FROM "{table}" AS n WHERE n.rowid >= {start} AND n.{t} BETWEEN $1 AND $2 AND EXISTS '
            f'(SELECT 1 FROM "{table}" AS o WHERE o.rowid < {start} AND o.{t} BETWEEN $1 AND $2 AND {same})',
            before,
        )[0][0]
    return dropped


def _store_keyed(engine: Engine, table: str, definition: TableDef, names_sql: str, rows: Rows) -> tuple[int, int]:
    """Rows replace the stored rows of their key. Of rows of one key in the file: identical ones count once; in tables
    whose key is one thing (a customer, an item) the last one counts; order lines that differ are all kept."""
    engine.execute(f"CREATE OR REPLACE TEMP TABLE _incoming AS {rows(False, 'good')}")
    return _replace_keys(engine, table, definition, names_sql)


def _replace_keys(engine: Engine, table: str, definition: TableDef, names_sql: str) -> tuple[int, int]:
    accepted = engine.execute("SELECT count(*) FROM _incoming")[0][0]
    partition = names_sql if table == "orders" else ", ".join(f'"{c}"' for c in definition.key)
    engine.execute(
        f"CREATE OR REPLACE TEMP TABLE _fresh AS SELECT {names_sql} FROM _incoming "
        f"QUALIFY row_number() OVER (PARTITION BY {partition} ORDER BY _row DESC) = 1"
    )
    unchanged = engine.execute(
        f'SELECT count(*) FROM (SELECT {names_sql} FROM _fresh INTERSECT SELECT {names_sql} FROM "{table}")'
    )[0][0]
    fresh = engine.execute("SELECT count(*) FROM _fresh")[0][0]
    same_key = " AND ".join(f'n."{c}" IS NOT DISTINCT FROM o."{c}"' for c in definition.key)
    engine.execute(f'DELETE FROM "{table}" AS o WHERE EXISTS (SELECT 1 FROM _fresh AS n WHERE {same_key})')
    engine.execute(f'INSERT INTO "{table}" SELECT {names_sql} FROM _fresh')
    engine.execute("DROP TABLE _incoming")
    engine.execute("DROP TABLE _fresh")
    return accepted, accepted - fresh + unchanged


# --- Taobao's UserBehavior log -----------------------------------------------------------------------------------

_BEHAVIOUR = {"pv": "visit", "fav": "favorite", "cart": "cart"}


def _import_taobao(engine: Engine, text: TextFile, rejects_dir: Path, now: datetime, lang: str) -> Report:
    """user, item, category, behaviour, unix seconds; no header; +08:00. `buy` becomes a paid order line, amount unknown."""
    report = Report("events", str(text.path), columns=dict(zip(_TAOBAO, _TAOBAO.values(), strict=True)))
    report.columns = dict(_TAOBAO)
    known = _known_import(engine, text, "events", "taobao-userbehavior")
    events, orders = catalog.tables()["events"], catalog.tables()["orders"]
    if known is not None:
        report.read, report.accepted, report.rejected = known
        report.duplicates = report.accepted
        report.span = _span(engine, events, "events")
        return report
    width = len(text.first_record())
    if width != len(_TAOBAO):
        raise NeedsPerson("taobao_columns", file=text.path.name, found=width)
    source = _Source(text, width, skip_header=False)
    second = "try_cast(c4 AS BIGINT)"
    moment = f"make_timestamp(({second} + 8 * 3600) * 1000000)"
    verdict = (
        "CASE WHEN nullif(trim(c0), '') IS NULL THEN 'user id\tmissing' "
        "WHEN c3 NOT IN ('pv', 'fav', 'cart', 'buy') THEN 'behaviour\tnot_a_choice' "
        f"WHEN {second} IS NULL OR {second} NOT BETWEEN 946684800 AND 4102444799 THEN 'unix seconds\tnot_a_time' END"
    )

    def rows(parallel: bool, keep: str) -> str:
        order = ", row_number() OVER () AS _row" if not parallel else ""
        base = f"SELECT *{order} FROM {source.sql(parallel=parallel, keep_aside=parallel)}"
        return (
            f"SELECT *, trim(c0) AS buyer, {moment} AS moment, {verdict} AS _verdict FROM ({base}) "
            f"WHERE {verdict} IS {'NOT ' if keep == 'rejects' else ''}NULL"
        )

    kinds = " ".join(f"WHEN '{a}' THEN '{b}'" for a, b in _BEHAVIOUR.items())
    names_sql = ", ".join(f'"{c}"' for c in events.columns)
    order_names = ", ".join(f'"{c}"' for c in orders.columns)
    line = {
        "order_id": "'tb-' || buyer || '-' || trim(c1) || '-' || trim(c4)", "user_id": "buyer", "item_id": "trim(c1)",
        "category_id": "trim(c2)", "kind": "'normal'", "created_at": "moment", "paid_at": "moment",
    }  # fmt: skip
    order_values = ", ".join(
        f'{line[c]} AS "{c}"' if c in line else f'CAST(NULL AS {_sql_type(d)}) AS "{c}"'
        for c, d in orders.columns.items()
    )
    with _transaction(engine):
        start = engine.execute("SELECT coalesce(max(rowid) + 1, 0) FROM events")[0][0]
        stored = engine.execute(
            f"INSERT INTO events ({names_sql}) SELECT buyer, moment, CASE c3 {kinds} END, trim(c1), trim(c2), NULL, NULL "
            f"FROM ({rows(True, 'good')}) WHERE c3 <> 'buy'"
        )[0][0]
        structural = source.rejects(engine)
        duplicates = _drop_stored(engine, "events", events, names_sql, start)
        engine.execute(
            f"CREATE OR REPLACE TEMP TABLE _incoming AS SELECT {order_values}, _row "
            f"FROM ({rows(False, 'good')}) WHERE c3 = 'buy'"
        )
        bought, same = _replace_keys(engine, "orders", orders, order_names)
        report.accepted, report.duplicates = stored + bought, duplicates + same
        report.also = {"orders": bought}
        refused = list(structural)
        if report.accepted + len(structural) != text.data_lines + 1:
            titles = list(_TAOBAO)
            places = {t: i for i, t in enumerate(titles)}
            refused += _rejects(engine, rows(False, "rejects"), text, titles, places, titled=False)
        _finish(engine, report, refused, text, "events", "taobao-userbehavior", rejects_dir, now, lang)
    report.span = _span(engine, events, "events")
    return report


_TAOBAO = {
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
        raise
    engine.execute("COMMIT")


def _finish(
    engine: Engine,
    report: Report,
    refused: list[tuple[int, str, str, str]],
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
        "INSERT INTO _imports VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        (
            text.path.name, text.sha256, table, fmt, report.read, report.accepted, report.rejected, report.duplicates,
            now,
        ),
    )  # fmt: skip


def _write_rejects(
    refused: list[tuple[int, str, str, str]], folder: Path, table: str, text: TextFile, lang: str
) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{table}-{text.path.stem}-{text.sha256[:8]}.csv"
    with tempfile.NamedTemporaryFile("w", dir=folder, encoding="utf-8-sig", newline="", delete=False) as f:
        writer = csv.writer(f)
        writer.writerow(REJECT_COLUMNS)
        for line, column, value, reason in sorted(refused):
            writer.writerow([line, column, value, f"{reason}: {prompts.text(f'reason.{reason}', lang)}"])
    Path(f.name).replace(target)
    return target


def _known_import(engine: Engine, text: TextFile, table: str, fmt: str) -> tuple[int, int, int] | None:
    """(read, accepted, rejected) of an earlier import of the same content into the same table."""
    rows = engine.execute(
        "SELECT read, accepted, rejected FROM _imports WHERE sha256 = $1 AND target = $2 AND format = $3 LIMIT 1",
        (text.sha256, table, fmt),
    )
    return (rows[0][0], rows[0][1], rows[0][2]) if rows else None


def _span(engine: Engine, definition: TableDef, table: str) -> dict[str, str | None]:
    if definition.time is None:
        return {"from": None, "to": None}
    low, high = engine.execute(f'SELECT min({definition.time}), max({definition.time}) FROM "{table}"')[0]
    return {"from": plain(low), "to": plain(high)}


def _sql_type(column: Column) -> str:
    return SQL_TYPES[column.type]
