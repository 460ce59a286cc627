"""Import: files of the merchant into the tables of the catalogue, all or nothing per file (domain: merchant data).

A bad row is never dropped silently: it goes to a reject file with line, column, value and reason, and
read = accepted + rejected. What is already there changes nothing: a file is known by its content (tools/ledger.py), an event
that is stored is not stored again, and a row of a table with a key replaces the rows of that key (`duplicates` counts the
accepted rows that added nothing). What a folder or an archive holds is found by tools/sources.py, one file after the other.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import prompts
from knowledge import catalog
from knowledge.catalog import TableDef
from tools import names, repairs, spreadsheet, taobao
from tools.columns import bad, mended, reason, rules, stored
from tools.engine import SQL_TYPES, Engine
from tools.errors import AskAgain, NeedsPerson
from tools.ledger import Job, Report, finish, known, rejects_missing, transaction, write_rejects
from tools.mapping import map_header, used
from tools.records import CsvRecords, Part, Records, Refused, is_parquet, open_parquet
from tools.sql import quote
from tools.store import store_events, store_keyed
from tools.textfile import open_text
from tools.workbook import fitting_sheets

if TYPE_CHECKING:
    from tools.mapping import Mapping

_ZONE = ZoneInfo("Asia/Shanghai")  # shop.yaml's default too
MAX_REJECTS = 2_000_000  # of one file
FORMATS = ("auto", "csv", "xlsx", "parquet", "taobao-userbehavior")


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
    name: str | None = None,
    mapping: Mapping | None = None,
    dry_run: bool = False,
    zone: ZoneInfo | None = None,
) -> list[Report]:
    """Import one file into `table`: one Report, of a workbook one for each sheet that fits the table, in their order.

    All or nothing: raises, with the data as before, when the file as a whole cannot be taken. `fmt` "auto" tells workbooks,
    Parquet and text by their content. `name` is what the reports call the file (default: its path). `mapping` comes before
    the catalogue's names. A dry run judges every row against what is stored now, and stores nothing. `zone` is the shop's:
    moments that carry a zone are put into it. `lang` is the language of the reasons of refused rows; `progress` is told the
    part done of the step under way, 0 to 1.
    """
    kind = _kind(path) if fmt == "auto" else fmt
    if kind == "taobao-userbehavior" and table not in ("events", "orders"):
        raise AskAgain("format_wants_events", table=table)
    job = Job(engine, table, kind, name or str(path), rejects_dir, now, lang, zone or _ZONE, mapping, dry_run)
    reports: list[Report] = []
    try:
        with _watched(engine, progress), _parts(job, path, progress) as parts, transaction(engine, dry_run=dry_run):
            for part in parts:
                began = time.perf_counter()
                report = _load(job, part)
                report.elapsed_ms = round((time.perf_counter() - began) * 1000)
                reports.append(report)
    except BaseException:
        for report in reports:
            if report.rejects_file and not report.known:
                Path(report.rejects_file).unlink(missing_ok=True)
        raise
    return reports


def _kind(path: Path) -> str:
    if spreadsheet.is_spreadsheet(path):
        return "xlsx"
    return "parquet" if is_parquet(path) else "csv"


@contextmanager
def _parts(job: Job, path: Path, progress: Callable[[float], None] | None) -> Iterator[Iterator[Part]]:
    """What the file consists of: one part, or the sheets of a workbook."""
    if job.fmt == "xlsx":
        with fitting_sheets(path, job, progress) as sheets:
            yield sheets
    elif job.fmt == "parquet":
        with open_parquet(job.engine, path, job.zone) as records:
            yield iter([Part(records)])
    else:
        with open_text(path) as text:
            logged = job.fmt == "taobao-userbehavior"
            yield iter([Part(CsvRecords(text, list(taobao.COLUMNS) if logged else text.header(), titled=not logged))])


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


def _load(job: Job, part: Part) -> Report:
    """Store one part inside the transaction, unless it is known."""
    if isinstance(part.records, CsvRecords) and job.fmt == "taobao-userbehavior":
        return taobao.load(job, part.records)
    records, definition = part.records, catalog.tables()[job.table]
    columns = map_header(records.header, definition, records.path.name, job.table, job.mapping)
    report = Report(
        job.table,
        job.file,
        columns=used(records.header, columns),
        constants=dict(job.mapping.constants) if job.mapping else {},
        ignored=[h for i, h in enumerate(records.header) if i not in columns.values()],
        sheet=part.sheet,
        other_sheets=list(part.other_sheets),
    )
    judged = _Judged(job, records, definition, columns)
    if known(job, report, records):
        if rejects_missing(report) and not job.dry_run:
            rows_of_then = judged.refused(replace(report, repaired={})) + part.refused
            report.rejects_file = str(write_rejects(job, report, rows_of_then, records))
        return report
    judged.refuse_columns()
    repairs.start(job.engine, definition.columns)
    if definition.key:
        rows = judged.rows(numbered=True)
        done = store_keyed(job.engine, job.table, definition, rows, set(judged.texts), judged.rules)
    else:
        done = store_events(job.engine, job.table, definition, judged.rows(numbered=False), judged.rules)
    report.accepted, report.duplicates = done.accepted, done.duplicates
    report.updated, report.lost = done.updated, done.lost
    report.repaired = repairs.total(job.engine, definition.columns)
    # A line that is not stored was refused by the reader or by a rule (or is blank, or a value spans lines): only then
    # is the slower pass needed that keeps refused lines aside and knows line numbers.
    refused: list[Refused] = []
    if report.accepted != records.expected:
        judged.refuse_too_many(records.expected - report.accepted)
        refused = judged.refused(report)
    report.repaired = {name: n for name, n in report.repaired.items() if n > 0}
    finish(job, report, refused + part.refused, records)
    return report


class _Judged:
    """The rows of one part as SQL: typed by the columns' rules, and those that the rules refuse."""

    def __init__(self, job: Job, records: Records, definition: TableDef, columns: dict[str, int]) -> None:
        self.job, self.records, self.definition, self.columns = job, records, definition, columns
        constants = {n: quote(v) for n, v in job.mapping.constants.items()} if job.mapping else {}
        self.texts = {**{n: f"t{i}" for n, i in columns.items()}, **constants}
        self.places = sorted(set(columns.values()))
        self.rules = rules(job.zone, job.now, records.odd)

    def refuse_columns(self) -> None:
        """NeedsPerson when a column that is used cannot be taken as it is stored in the file."""
        texts = {i for name, i in self.columns.items() if self.definition.columns[name].type == "text"}
        self.records.refuse_columns(self.job.engine, set(self.columns.values()), texts)

    def _typed(self, *, count: bool) -> str:
        """Every column of the table; unreadable values as sentinels."""
        values = {
            name: stored(name, c, self.texts[name], self.rules, count=count and name in self.columns)
            if name in self.texts
            else f"CAST(NULL AS {SQL_TYPES[c.type]})"
            for name, c in self.definition.columns.items()
        }
        return ", ".join(f'{value} AS "{name}"' for name, value in values.items())

    def rows(self, *, numbered: bool) -> str:
        """Every row that has the header's shape; what is mended is counted."""
        source = self.records.texts(numbered=numbered)
        return f"SELECT {self._typed(count=True)}{', _row' if numbered else ''} FROM ({source})"

    def _bad(self, *, keep_aside: bool) -> str:
        raw = ", ".join(f"t{i}" for i in self.places)
        mends = mended(self.definition, {n: t for n, t in self.texts.items() if n in self.columns}, self.rules)
        return (
            f"SELECT _row, {reason(self.job.table, self.definition, self.texts, self.rules)} AS _verdict, {mends} AS _mended, "
            f"{raw} "
            f"FROM (SELECT {self._typed(count=False)}, {raw}, _row "
            f"FROM ({self.records.texts(numbered=True, keep_aside=keep_aside)})) "
            f"WHERE {bad(self.job.table, self.definition, self.rules)}"
        )

    def refuse_too_many(self, most: int) -> None:
        """NeedsPerson when so many rows would be rejected that something is wrong with the file, not with its rows: a list of
        them would fit into no memory. `most`: how many there can be."""
        if most <= MAX_REJECTS:
            return
        found = self.job.engine.execute(
            f"SELECT count(*), mode(split_part(_verdict, chr(9), 1)), mode(split_part(_verdict, chr(9), 2)) "
            f"FROM ({self._bad(keep_aside=False)})"
        )
        n, column, why = found[0]
        if n > MAX_REJECTS:
            worded = {lang: prompts.text(f"reason.{why}", lang) for lang in prompts.LANGS}
            raise NeedsPerson("too_many_rejects", file=self.records.path.name, n=f"{n:,}", column=column, reason=worded)

    def refused(self, report: Report) -> list[Refused]:
        """The rows that are not stored, with their lines; their values do not count as repaired."""
        found = self.job.engine.execute(self._bad(keep_aside=True))
        lines = self.records.lines({row for row, *_ in found})
        out = []
        for row, verdict, mends, *values in found:
            column, why = verdict.split("\t")
            place = self.columns.get(column)
            title = column if place is None else self.records.header[place]
            value = None if place is None else values[self.places.index(place)]
            out.append((lines.get(row, 0), title, value or "", why))
            for name in filter(None, mends.split(",")):
                report.repaired[name] = report.repaired.get(name, 0) - 1
        return out + self.records.misshapen(self.job.engine)
