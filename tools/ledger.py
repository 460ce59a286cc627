"""What an import did, and the record of all imports in the data file: by it a file is known again.

The rule: a file is known when the same content went into the same table by the same columns before, however long ago and
whatever was imported since. A known file changes nothing, its rows count as duplicates. So the same command can be given
again after a stop, a folder of daily files can be imported every day, and yesterday's file named once more does not take back
what today's file corrected. To go back to an older state on purpose, export it anew: any change makes it another file.
A file is read anew when the catalogue, the mapping or the rules for values (RULES) give its columns another meaning.
"""

from __future__ import annotations

import csv
import errno
import hashlib
import json
import re
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import prompts
from knowledge import catalog
from tools import cells
from tools.engine import Engine
from tools.errors import NeedsPerson
from tools.reader import plain
from tools.records import Records, Refused

if TYPE_CHECKING:
    from tools.mapping import Mapping

REJECT_COLUMNS = ("line", "column", "value", "reason")
_SAMPLE = 20
RULES = 2  # counts up when values that were refused, or read otherwise, are read by new rules: 2 since "-" is empty


@dataclass
class Report:
    """What one import did; of a workbook, one sheet. `duplicates` are accepted rows that were stored already or stand twice.

    `updated`: stored rows that gave way to other content of their key; `lost`: paid_at, refunded_at → those of them that were
    paid (refunded) before and are not any more. `reasons`: "column: reason code" → rejected rows, the commonest first.
    `line` in the reject file is the row of a spreadsheet or of a Parquet file. `known`: when the same was imported before,
    so that nothing was done now. `repaired`: what was put right by a rule → values. `other_sheets` fit as well, but fit another
    table better. `sample_rejects`: the first rows of the reject file, which a dry run does not write.
    """

    table: str
    file: str
    read: int = 0
    accepted: int = 0
    rejected: int = 0
    duplicates: int = 0
    updated: int = 0
    rejects_file: str | None = None
    span: dict[str, str | None] = field(default_factory=lambda: {"from": None, "to": None})
    columns: dict[str, str] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)
    sheet: str | None = None
    other_sheets: list[str] = field(default_factory=list)
    also: dict[str, int] = field(default_factory=dict)
    repaired: dict[str, int] = field(default_factory=dict)
    lost: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)
    known: str | None = None
    dry_run: bool = False
    sample_rejects: list[dict[str, Any]] = field(default_factory=list)
    elapsed_ms: int = 0

    def as_json(self) -> dict[str, Any]:
        return {k: v for k, v in self.__dict__.items() if k not in _WHEN_THERE or v}


_WHEN_THERE = (
    "constants",
    "ignored",
    "sheet",
    "other_sheets",
    "also",
    "repaired",
    "lost",
    "reasons",
    "known",
    "dry_run",
    "sample_rejects",
)


@dataclass(frozen=True)
class Job:
    """What an import is asked to do. `file` is the name that the report gives; `zone` is the shop's; `lang` that of reasons."""

    engine: Engine
    table: str
    fmt: str
    file: str
    rejects_dir: Path
    now: datetime
    lang: str
    zone: ZoneInfo
    mapping: Mapping | None
    dry_run: bool


@contextmanager
def transaction(engine: Engine, *, dry_run: bool) -> Iterator[None]:
    """All or nothing: anything raised inside, or a dry run, takes everything back."""
    import duckdb

    engine.execute("SET preserve_insertion_order = false")
    engine.execute("BEGIN")
    try:
        yield
        if not dry_run:
            engine.execute("COMMIT")
    except BaseException as e:
        _roll_back(engine)
        full = isinstance(e, OSError) and e.errno in (errno.ENOSPC, errno.EDQUOT)
        # DuckDB says so when the file cannot grow, and when what it puts aside finds no room.
        if full or (isinstance(e, duckdb.Error) and re.search("No space left|max_temp_directory_size", str(e))):
            raise NeedsPerson("disk_full", path=str(engine.path.parent)) from e
        if isinstance(e, duckdb.Error):
            raise NeedsPerson("import_failed", detail=str(e).splitlines()[0]) from e
        if isinstance(e, RuntimeError) and "interrupted" in str(e):
            raise KeyboardInterrupt from e  # how DuckDB says that Ctrl-C was pressed
        if isinstance(e, OSError):
            raise NeedsPerson("no_permission", path=str(e.filename or "")) from e
        raise
    if dry_run:
        _roll_back(engine)


def _roll_back(engine: Engine) -> None:
    import duckdb

    try:
        engine.execute("ROLLBACK")
    except duckdb.TransactionException:
        return  # a commit that failed has taken everything back already


def finish(job: Job, report: Report, refused: list[Refused], records: Records) -> None:
    """Counts, the span, the reject file, the record of this import; NeedsPerson when nothing was read or the file is cut off."""
    report.rejected, report.reasons = len(refused), _reasons(refused)
    report.read = report.accepted + report.rejected
    records.refuse_cut(refused)
    if report.read == 0:
        raise NeedsPerson("no_rows", file=records.path.name)
    report.span = span(job.engine, report.table)
    report.dry_run = job.dry_run
    if job.dry_run:
        worded = list(_worded(refused, job.lang))[:_SAMPLE]
        report.sample_rejects = [dict(zip(REJECT_COLUMNS, row, strict=True)) for row in worded]
        return
    if refused:
        report.rejects_file = str(write_rejects(job, report, refused, records))
    # What had not come yet then may have come when the file is imported again: it is no known file.
    early = any(reason == "in_future" for *_, reason in refused)
    job.engine.execute(
        "INSERT INTO _imports (file, sha256, target, format, read, accepted, rejected, duplicates, rejects_file, "
        "imported_at, repaired, reasons) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        (
            records.path.name, "" if early else identity(job, report, records), report.table, job.fmt, report.read,
            report.accepted, report.rejected, report.duplicates, report.rejects_file, job.now, json.dumps(report.repaired),
            json.dumps(report.reasons),
        ),
    )  # fmt: skip


def _reasons(refused: list[Refused]) -> dict[str, int]:
    counted = Counter(f"{column}: {reason}" if column else reason for _, column, _, reason in refused)
    return dict(sorted(counted.items(), key=lambda found: (-found[1], found[0])))


def _worded(refused: list[Refused], lang: str) -> Iterator[Sequence[Any]]:
    for line, column, value, reason in sorted(refused):
        yield line, column, value, f"{reason}: {prompts.text(f'reason.{reason}', lang)}"


def write_rejects(job: Job, report: Report, refused: list[Refused], records: Records) -> Path:
    """The refused rows with their reasons, as a CSV file named after the file, the sheet and the content."""
    job.rejects_dir.mkdir(parents=True, exist_ok=True)
    content = identity(job, report, records) if report.sheet else records.sha256
    target = job.rejects_dir / f"{report.table}-{records.path.stem}-{content[:8]}.csv"
    with tempfile.TemporaryDirectory(dir=job.rejects_dir, prefix=".new-") as folder:
        whole = Path(folder) / target.name
        with whole.open("w", encoding="utf-8-sig", newline="") as f:
            writer = csv.writer(f)
            writer.writerow(REJECT_COLUMNS)
            for row in _worded(refused, job.lang):
                writer.writerow([cells.plain(value, numbers=True) for value in row])
        whole.replace(target)
    return target


def known(job: Job, report: Report, records: Records) -> bool:
    """Whether the file is known; then `report` says what the import of then said, every row a duplicate.

    Its reject file may be gone: `rejects_missing` tells.
    """
    rows = job.engine.execute(
        "SELECT read, accepted, rejected, rejects_file, imported_at, repaired, reasons FROM _imports "
        "WHERE target = $1 AND sha256 = $2 AND format = $3 ORDER BY rowid DESC LIMIT 1",
        (report.table, identity(job, report, records), job.fmt),
    )
    if not rows:
        return False
    report.read, report.accepted, report.rejected, report.rejects_file, at, repaired, reasons = rows[0]
    report.repaired = json.loads(repaired) if repaired else {}
    report.reasons = json.loads(reasons) if reasons else {}
    report.known = plain(at)
    report.duplicates = report.accepted
    report.span = span(job.engine, report.table)
    report.dry_run = job.dry_run
    return True


def rejects_missing(report: Report) -> bool:
    return report.rejected > 0 and (report.rejects_file is None or not Path(report.rejects_file).exists())


def identity(job: Job, report: Report, records: Records) -> str:
    """The content, and what it is read as: which column each header feeds, what may stand in it, constants, the sheet, the
    shop's time zone. Either one changed is another import; a new alias of another header is not."""
    columns = catalog.tables()[report.table].columns
    fed = {name for names in report.columns.values() for name in names.split(", ")}
    meant = {
        name: column.model_dump(exclude={"aliases", "usual"})
        for name, column in columns.items()
        if name in fed or name in report.constants
    }
    meaning = [report.columns, report.constants, meant, report.sheet, job.zone.key, RULES]
    return hashlib.sha256(f"{records.sha256}{json.dumps(meaning, sort_keys=True)}".encode()).hexdigest()


def span(engine: Engine, table: str) -> dict[str, str | None]:
    """The first and last moment stored in the table."""
    definition = catalog.tables()[table]
    if definition.time is None:
        return {"from": None, "to": None}
    low, high = engine.execute(f'SELECT min({definition.time}), max({definition.time}) FROM "{table}"')[0]
    return {"from": plain(low), "to": plain(high)}
