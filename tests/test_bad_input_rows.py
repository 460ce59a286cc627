"""Random rows of good, odd and wrong values against a plain-Python reading of the rules (tests/oracle_import.py)."""

from __future__ import annotations

import csv
import random
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests import oracle_import as oracle
from tools.engine import Engine
from tools.ingest import import_file

NOW = datetime(2026, 6, 17, 10)
BLANK = ("", "", "", " ", "\u3000", "\t")
NOTHING = ("-", "--", "—", "/", "无", "NaN", "NULL", "null", "None", "N/A", "\\N", "0000-00-00", "0000-00-00 00:00:00")
TIMES = (
    "2026-06-01 10:00:00", "2026-06-01 09:59:59", "2026-06-02 08:30:00", "2026/6/1 9:05", "2026-06-01", "2026/6/2",
    "2026-06-01T02:00:00Z", "2026-06-01T02:00:00.250Z", "2026-06-01 10:00:00 +0800", "2026-06-01 10:00+08",
    "2026-05-31 22:00:00-04:00", "2026-06-01 10:00:0Z", "2026年6月1日", "2026年06月01日10时05分", "2026年6月1日 10:05:07",
    "2026-06-01 10:00:00 UTC+8", "2026-06-01 10:00:00.999",
)  # fmt: skip
WRONG_TIMES = (
    "2050-01-01 00:00:00", "2050-01-01T00:00:00Z", "2150-01-01", "1999-12-31", "2026-02-30", "2026-06-01 25:00:00", "今天",
    "infinity", "1780279200", "2026-06-01 10:00 PM", "2026-06-01 10:00:00+15:00", "2026年13月1日", "06/01/2026", "2026-06-01Z",
)  # fmt: skip
NUMBERS = (
    "12", "12.5", "0", "1234.50", "+3", "1,234.50", "12,345", "12.5元", "¥12.5", "￥ 12.5", "RMB 12", "1.2万", "1.23456万",
    "3千元", "1.5亿", "１２．５", "12 元", "3件", "12 单", "2.0", "12.345", "12.3400", "85%", "85％", "4.8分", "1.2345E+2",
    ".5", "0.045", "1.25E-3", "999999999.99", "120万元", "5 百万",
)  # fmt: skip
WRONG_NUMBERS = (
    "-5", "-¥5", "¥-5", "--5", "-0.01", "1e10", "2000000000", "999999999999999999999", "12,34", "1,5", "1 2", "abc", "1_000",
    "0x10", "NaN", "inf", "1.2.3", "元", "12元5角", "1.2E+2", "5.", "%",
)  # fmt: skip
IDS = (
    "u1", "12345", "12345.0", "12345.00", "1.2345E+4", "1.2345e+04", '="12345"', "'12345", " u1 ", "\u3000u1", "u 1", "5e10",
    "a.b", "a+b", "=1+1", "@x", "00123", "'", "1.5", "1.23450E+4", "张三",
)  # fmt: skip
LOST = ("1.23E+15", "1E+5", "1.23456E+4", "1234567890123456.0", "1.23456789012345678E+17")
KINDS = ("normal", "预售", "现货", "SAMPLE", "派样")
VALUES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "text": (("a", "=cmd|' /C calc'!A0", "12.0", "'x", 'say "hi"', "多行\n标题"), ("",)),
    "id": (IDS, LOST),
    "choice": (KINDS, ("buy", "?", "")),
    "crowd": (("all", "全店", "OLD", "会员"), ("somebody", "?", "")),
    "metric": (("paid_amount", "成交金额", "Rv_value", "同行RV价值"), ("love", "?", "")),
    "flag": (("1", "0", "是", "No", "TRUE"), ("2", "maybe")),
    "time": (TIMES, WRONG_TIMES),
    "money": (NUMBERS, WRONG_NUMBERS),
    "integer": (NUMBERS, WRONG_NUMBERS),
    "number": (NUMBERS, ("NaN", "inf", "1e999", "", "abc", "1 2", "--5")),
}


def rows(table: tuple[oracle.Column, ...], seed: int, n: int) -> list[list[str]]:
    """Rows of which about half hold a wrong value; every value has blanks around it now and then."""
    draw = random.Random(seed)

    def value(column: oracle.Column) -> str:
        good, wrong = VALUES[column.kind]
        if not column.required and draw.random() < 0.3:
            return draw.choice(BLANK if draw.random() < 0.7 else NOTHING)
        if draw.random() < 0.01:
            return draw.choice(NOTHING)
        text = draw.choice(wrong) if draw.random() < 0.05 else draw.choice(good)
        return f" {text}\u3000" if draw.random() < 0.1 else text

    out = [[value(c) for c in table] for _ in range(n)]
    return out + draw.sample(out, n // 10)


def write(path: Path, table: tuple[oracle.Column, ...], lines: list[list[str]], encoding: str) -> list[int]:
    """Write the file; the line on which each row begins."""
    begins = []
    with path.open("w", encoding=encoding, newline="") as f:
        writer = csv.writer(f, lineterminator="\n")
        writer.writerow([c.name for c in table])
        line = 2
        for row in lines:
            begins.append(line)
            writer.writerow(row)
            line += 1 + sum(text.count("\n") for text in row)
    return begins


def expected_number(value: Any) -> Any:
    return float(value) if value is not None and not isinstance(value, str | datetime) else value


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize(
    ("name", "table"), [("orders", oracle.ORDERS), ("items", oracle.ITEMS), ("peers", oracle.PEERS)]
)
def test_random_rows_are_read_by_the_rules(
    tmp_path: Path, name: str, table: tuple[oracle.Column, ...], seed: int, encoding: str
) -> None:
    lines = rows(table, seed, 400)
    path = tmp_path / "rows.csv"
    begins = write(path, table, lines, encoding)
    latest = datetime.now(ZoneInfo("Asia/Shanghai")).replace(tzinfo=None) + timedelta(days=1)
    read = [oracle.verdict(table, row, latest) for row in lines]
    good = [{n: v.value for n, v in values.items()} for values, wrong in read if wrong is None]
    engine = Engine(tmp_path / "data.duckdb", read_only=False)
    engine.create_tables()
    (report,) = import_file(engine, name, path, "auto", tmp_path / "rejects", NOW)
    assert (report.read, report.accepted, report.rejected) == (len(lines), len(good), len(lines) - len(good))
    assert 0 < report.rejected < report.read

    with Path(report.rejects_file or "").open(encoding="utf-8-sig", newline="") as f:
        refused = [(int(r["line"]), r["column"], r["reason"].split(":")[0]) for r in csv.DictReader(f)]
    assert refused == [(line, *wrong) for line, (_, wrong) in zip(begins, read, strict=True) if wrong]

    counted = Counter(n for values, wrong in read if wrong is None for n, v in values.items() if v.repaired)
    assert report.repaired == dict(counted)
    assert counted

    columns = [c.name for c in table]
    selected = ", ".join(f'"{c}"' for c in columns)
    found = Counter(tuple(map(expected_number, row)) for row in engine.execute(f'SELECT {selected} FROM "{name}"'))
    as_stored = [tuple(expected_number(row[c]) for c in columns) for row in good]
    if name == "orders":  # different lines of one key are all kept
        assert found == Counter(set(as_stored))
    else:  # one thing a key: its last row counts
        key = columns[: {"items": 1, "peers": 3}[name]]
        last = {tuple(row[columns.index(c)] for c in key): row for row in as_stored}
        assert found == Counter(last.values())
    assert report.duplicates == len(good) - sum(found.values())
    engine.close()
