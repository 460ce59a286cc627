"""A file's rows as the import takes them: every column as text, trimmed, empty as NULL, each row with a place to name.

Text files and Parquet differ only here: what stands behind is one set of rules over texts (tools/columns.py). DuckDB reads
both, in parallel; where rows were refused a second pass counts them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from tools.engine import Engine
from tools.errors import NeedsPerson, refuse_no_file
from tools.sql import quote
from tools.textfile import BLANKS, MAX_LINE, TextFile

Refused = tuple[int, str, str, str]  # line, column, value, reason
PARQUET = b"PAR1"
_EXACT = {"DOUBLE": 2**53, "FLOAT": 2**24}  # whole numbers from here on have lost digits


class Records(Protocol):
    """`path` is the file as people know it, `expected` the rows it has when none is refused; `odd`: see columns.Rules."""

    @property
    def path(self) -> Path: ...
    @property
    def sha256(self) -> str: ...
    @property
    def header(self) -> list[str]: ...
    @property
    def expected(self) -> int: ...
    @property
    def odd(self) -> str: ...

    def texts(self, *, numbered: bool, keep_aside: bool = False) -> str:
        """SQL: t0, t1, … the values as texts; `_row` (if `numbered`) counts from 1 in file order. `keep_aside`: running it
        notes the lines of a wrong shape, for `misshapen`."""

    def lines(self, rows: set[int]) -> dict[int, int]:
        """`_row` → the line, or row, that a person finds it at."""

    def misshapen(self, engine: Engine) -> list[Refused]:
        """The lines that are no rows, after a `texts` that kept them aside."""

    def refuse_cut(self, refused: list[Refused]) -> None:
        """NeedsPerson when what was refused shows that the file was cut off."""

    def refuse_columns(self, engine: Engine, places: Collection[int], texts: Collection[int]) -> None:
        """NeedsPerson when one of the columns at `places` cannot be imported as it is stored: nested, or, where the table
        has a text (`texts`, mostly ids), numbers that have lost digits: other people would become one."""


@dataclass(frozen=True)
class Part:
    """A table in a file: the file itself, or a sheet of a workbook. `refused`: rows that no rule needs to look at."""

    records: Records
    sheet: str | None = None
    other_sheets: tuple[str, ...] = ()
    refused: list[Refused] = field(default_factory=list)


_STRUCTURE = {
    "MISSING COLUMNS": "too_few_columns",
    "TOO MANY COLUMNS": "too_many_columns",
    "UNQUOTED VALUE": "open_quote",
    "LINE SIZE OVER MAXIMUM": "line_too_long",
}


class CsvRecords:
    """A text file; lines of a wrong shape are kept aside with their place. `titled`: its first record is the header, else
    `header` names the columns."""

    def __init__(self, text: TextFile, header: list[str], *, titled: bool = True, expected: int | None = None) -> None:
        self.text = text
        self.header = header
        self.titled = titled
        self.path, self.sha256, self.odd = text.path, text.sha256, text.odd
        self.expected = text.data_lines + (0 if titled else 1) if expected is None else expected

    def texts(self, *, numbered: bool, keep_aside: bool = False) -> str:
        width = len(self.header)
        columns = ", ".join(f"'c{i}': 'VARCHAR'" for i in range(width))
        aside = (
            ", store_rejects=true, rejects_table='_reject_errors', rejects_scan='_reject_scans'" if keep_aside else ""
        )
        read = (
            f"read_csv({_one(self.text.utf8_path)}, auto_detect=false, header={str(self.titled).lower()}, "
            f"skip={self.text.blank_lines_before}, delim={quote(self.text.delimiter)}, quote='\"', escape='\"', "
            f"columns={{{columns}}}, ignore_errors=true, parallel={str(not numbered).lower()}, "
            f"max_line_size={4 * MAX_LINE}{aside})"
        )
        row = ", row_number() OVER () AS _row" if numbered else ""
        # Trimming a set of characters costs more than all the rest; most files do not need it.
        value = "nullif(trim(c{i}), '')" if self.text.clean else "nullif(trim(c{i}, " + quote(BLANKS) + "), '')"
        values = ", ".join(f"{value.format(i=i)} AS t{i}" for i in range(width))
        return f"SELECT {values}{row} FROM {read}"

    def lines(self, rows: set[int]) -> dict[int, int]:
        return self.text.lines_of_records(rows, len(self.header), titled=self.titled)

    def misshapen(self, engine: Engine) -> list[Refused]:
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

    def refuse_cut(self, refused: list[Refused]) -> None:
        open_quote = next((line for line, _, _, reason in refused if reason == "open_quote"), None)
        if open_quote is not None:
            raise NeedsPerson("open_quote", file=self.path.name, line=open_quote)
        last = max((line for line, *_ in refused), default=0)
        if refused and not self.text.ends_with_newline and last >= self.text.last_line:
            raise NeedsPerson("half_written", file=self.path.name, line=last)

    def refuse_columns(self, engine: Engine, places: Collection[int], texts: Collection[int]) -> None:
        """A text holds every digit; what a spreadsheet lost was seen when it became one."""


def is_parquet(path: Path) -> bool:
    """Whether the file is Parquet, whatever it is called."""
    try:
        with path.open("rb") as f:
            return f.read(4) == PARQUET
    except OSError:  # whoever opens it in earnest says what is wrong
        return False


@dataclass(frozen=True)
class ParquetRecords:
    """A Parquet file. `types`: DuckDB's type of each column; `zone`: the shop's, into which moments with a zone are put."""

    path: Path
    sha256: str
    header: list[str]
    types: tuple[str, ...]
    expected: int
    zone: ZoneInfo
    odd: str = ".+='"

    def texts(self, *, numbered: bool, keep_aside: bool = False) -> str:
        values = ", ".join(f"{self._text(i)} AS t{i}" for i in range(len(self.header)))
        row = ", file_row_number + 1 AS _row" if numbered else ""
        return f"SELECT {values}{row} FROM {_read_parquet(self.path)}"

    def _text(self, i: int) -> str:
        """A value as a text file would hold it: exact, times of the shop's zone, whole numbers without a fraction."""
        column, kind = _name(self.header[i]), self.types[i]
        if kind == "VARCHAR" or kind.startswith("ENUM"):
            return f"nullif(trim(CAST({column} AS VARCHAR), {quote(BLANKS)}), '')"
        if kind == "TIMESTAMP WITH TIME ZONE":
            return f"CAST(timezone({quote(self.zone.key)}, {column}) AS VARCHAR)"
        if kind in _EXACT:
            # A tiny rest of a sum would be written with an exponent, which money never has.
            return (
                f"CASE WHEN {column} = trunc({column}) AND abs({column}) < {_EXACT[kind]} "
                f"THEN CAST(CAST({column} AS BIGINT) AS VARCHAR) "
                f"WHEN abs({column}) < 1 THEN CAST(CAST({column} AS DECIMAL(38, 12)) AS VARCHAR) "
                f"ELSE CAST({column} AS VARCHAR) END"
            )
        return f"CAST({column} AS VARCHAR)"

    def lines(self, rows: set[int]) -> dict[int, int]:
        return {row: row for row in rows}

    def misshapen(self, engine: Engine) -> list[Refused]:
        return []

    def refuse_cut(self, refused: list[Refused]) -> None:
        """A Parquet file that was cut off has no footer and could not be opened."""

    def refuse_columns(self, engine: Engine, places: Collection[int], texts: Collection[int]) -> None:
        for i in places:
            kind, title = self.types[i], self.header[i]
            if re.match(r"STRUCT|MAP|UNION", kind) or kind.endswith("]"):
                raise NeedsPerson("parquet_nested", file=self.path.name, column=title, type=kind[:80])
            if i not in texts or kind not in _EXACT:
                continue
            row = engine.execute(
                f"SELECT min(file_row_number) + 1 FROM {_read_parquet(self.path)} WHERE abs({_name(title)}) >= {_EXACT[kind]}"
            )[0][0]
            if row is not None:
                raise NeedsPerson("parquet_digits_lost", file=self.path.name, row=row, column=title)


@contextmanager
def open_parquet(engine: Engine, path: Path, zone: ZoneInfo) -> Iterator[ParquetRecords]:
    """`path` as rows; NeedsPerson when it is missing, no Parquet, locked or broken."""
    yield _parquet(engine.execute, path, zone)


def first_of_parquet(path: Path, rows: int) -> tuple[list[str], list[list[str]], int]:
    """(titles, the first `rows` rows as texts, how many rows there are); raises as `open_parquet`."""
    import duckdb

    with duckdb.connect() as raw:
        records = _parquet(lambda sql: list(raw.execute(sql).fetchall()), path, ZoneInfo("UTC"))
        found = raw.execute(f"{records.texts(numbered=False)} LIMIT {rows}").fetchall()
    return records.header, [["" if value is None else value for value in row] for row in found], records.expected


def _parquet(execute: Callable[[str], list[tuple[Any, ...]]], path: Path, zone: ZoneInfo) -> ParquetRecords:
    refuse_no_file(path)
    if not path.stat().st_size:
        raise NeedsPerson("file_empty", file=path.name)
    try:
        with path.open("rb") as f:
            digest = hashlib.file_digest(f, "sha256").hexdigest()
            f.seek(0)
            head = f.read(4)
    except PermissionError as e:
        raise NeedsPerson("no_permission", path=str(path)) from e
    if head != PARQUET:
        raise NeedsPerson("not_parquet", file=path.name)
    try:
        columns = execute(f"DESCRIBE SELECT * FROM {_read_parquet(path, numbered=False)}")
        rows = execute(f"SELECT sum(num_rows) FROM parquet_file_metadata({_one(path)})")[0][0]
    except Exception as e:  # DuckDB stumbles over a broken footer in whatever way the footer makes it
        raise NeedsPerson("parquet_broken", file=path.name) from e
    return ParquetRecords(path, digest, [c[0] for c in columns], tuple(c[1] for c in columns), int(rows), zone)


def _read_parquet(path: Path, *, numbered: bool = True) -> str:
    row = ", file_row_number=true" if numbered else ""
    return f"read_parquet({_one(path)}, binary_as_string=true, hive_partitioning=false{row})"


def _name(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'


def _one(path: Path) -> str:
    """The path as an SQL literal that names this file only: brackets and stars would be read as a pattern."""
    return quote(re.sub(r"([*?\[])", r"[\1]", str(path)))
