"""`warroom metrics --explain`: what it prints is a script whose statements give the numbers that it shows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bot.cli import main
from bot.wiring import WarRoom
from knowledge import catalog
from tools import audience
from tools.facts import display

ASKED = [
    "-m", "visit_rate", "paid_amount", "carters", "-c", "会员", "cart_unpaid and (city:上海 or city:北京)",
    "--from", "2026-06-16", "--to", "2026-06-17", "--explain",
]  # fmt: skip


def statements(script: str) -> list[tuple[list[str], str]]:
    """(the comments before it, the statement) for each statement of a script."""
    out: list[tuple[list[str], str]] = []
    comments: list[str] = []
    sql: list[str] = []
    for line in script.splitlines():
        if line.startswith("-- ") and not sql:
            comments.append(line.removeprefix("-- "))
        elif line:
            sql.append(line)
            if line.endswith(";"):
                out.append((comments, "\n".join(sql)))
                comments, sql = [], []
    return out


def printed(root: Path, capsys: pytest.CaptureFixture[str], *more: str) -> str:
    assert main(["--shop", str(root), "metrics", *ASKED, *more]) == 0
    return capsys.readouterr().out


def rows(root: Path, capsys: pytest.CaptureFixture[str], *more: str) -> list[dict[str, Any]]:
    return list(json.loads(printed(root, capsys, "--json", *more))["rows"])


@pytest.mark.parametrize("more", [(), ("--by", "day"), ("--by", "city"), ("--compare", "previous_day")])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_printed_statement_gives_the_printed_number(
    demo_root: Path, demo: WarRoom, capsys: pytest.CaptureFixture[str], more: tuple[str, ...], lang: str
) -> None:
    expected = rows(demo_root, capsys, *more)
    values = [
        (r["metric"], v)
        for r in expected
        for v in ([r["value"], r["compare"]["value"]] if r["compare"] else [r["value"]])
    ]
    found = statements(printed(demo_root, capsys, "--lang", lang, *more))
    assert len(found) == len(values) >= 6
    for (comments, sql), (metric, value) in zip(found, values, strict=True):
        ((again,),) = (row.values() for row in demo.engine.query(sql.removesuffix(";")))
        assert again == value
        assert display(value, catalog.metrics()[metric].unit, lang) in comments[0]


def test_the_reading_says_metric_crowd_window_and_campaign(demo_root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (comments, _), *_ = statements(printed(demo_root, capsys, "--lang", "zh"))
    meaning = catalog.metrics()["visit_rate"].meaning.zh
    assert comments[0].startswith("会员进店率 ")
    assert comments[1] == f"指标：进店率 = {meaning}"
    assert comments[2] == f"人群：会员 = {catalog.crowds()['member'].meaning.zh}"
    assert comments[3] == "时间：2026-06-16 到 2026-06-17，数据看到 2026-06-17 10:00"
    assert comments[4].startswith("活动：618，2026-05-01 到 2026-06-30，老客按 2026-05-24 之前")


def test_an_expression_is_explained_crowd_by_crowd(demo_root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    row = rows(demo_root, capsys, "--lang", "zh")[-1]
    tree = audience.parse(row["crowd"])
    assert audience.label(tree, "zh") in row["reading"]["crowd"]
    assert row["crowd"] in row["reading"]["crowd"]
    assert catalog.crowds()["cart_unpaid"].meaning.zh in row["reading"]["crowd"]
    assert row["reading"]["as_of"] == "2026-06-17 10:00"


def test_a_day_of_a_breakdown_has_its_own_end(demo_root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ends = {r["by"]: r["reading"]["as_of"] for r in rows(demo_root, capsys, "--by", "day")}
    assert ends == {"2026-06-16": "2026-06-16 23:59", "2026-06-17": "2026-06-17 10:00"}


def test_without_explain_nothing_is_added(demo_root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--shop", str(demo_root), "metrics", "-m", "carters", "-c", "all", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["rows"]
    assert set(row) == {"crowd", "metric", "by", "value", "compare", "query"}
