"""Answers with a metric split by hour, item, channel, …: the rows by hand on the tiny shop, their order, names and notes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from knowledge import catalog
from tests import tiny_shop
from tests.shops import dated, load
from tools import metric_notes, metrics, reports, splits
from tools.context import Context
from tools.errors import AskAgain
from tools.facts import FactSheet, ToolResult
from tools.shop import Shop, Thresholds

DAYS = ("2026-06-16", "2026-06-17")


def context(root: Path, lang: str = "zh", tables: dict[str, list[dict[str, Any]]] | None = None) -> Context:
    engine = load(root / "data.duckdb", tables or tiny_shop.TABLES)
    shop = Shop(
        root, "x", "x", ZoneInfo("Asia/Shanghai"), "CNY", None, tuple(map(dated, tiny_shop.CAMPAIGNS)), Thresholds()
    )
    return Context(
        shop=shop, at=tiny_shop.AS_OF, lang=lang, open_engine=lambda: engine, open_search=lambda: None,  # type: ignore[arg-type, return-value]
        sheet=FactSheet(tiny_shop.AS_OF, lang, "CNY"),
    )  # fmt: skip


@pytest.fixture
def tiny(tmp_path: Path) -> Context:
    return context(tmp_path)


def rows(result: ToolResult) -> list[tuple[str, str]]:
    return [(r["by"], r["value"]) for r in result.data["rows"]]


def ask(ctx: Context, key: str, by: str, crowd: str = "all", **more: Any) -> ToolResult:
    return reports.metric(ctx, [key], [crowd], *DAYS, by=by, **more)


def test_items_are_called_by_their_titles_the_largest_first(tiny: Context) -> None:
    # u02 and u03 pay 150 each for the serum, u07 300 for the box; the cream's amount is not known
    found = dict(rows(ask(tiny, "paid_amount", "item")))
    assert found == {"Serum": "¥300", "Gift box": "¥300", "Cream": "—"}
    assert next(by for by, _ in rows(ask(tiny, "buyers", "item"))) == "Serum"


def test_two_items_of_one_title_keep_their_ids(tmp_path: Path) -> None:
    items = [{**row, "title": "Set"} for row in tiny_shop.TABLES["items"]]
    ctx = context(tmp_path, tables={**tiny_shop.TABLES, "items": items})
    assert {by for by, _ in rows(ask(ctx, "buyers", "item"))} == {"Set (I1)", "Set (I2)", "Set (I3)"}


def test_an_item_without_a_row_is_called_by_its_id(tmp_path: Path) -> None:
    ctx = context(tmp_path, tables={**tiny_shop.TABLES, "items": []})
    assert {by for by, _ in rows(ask(ctx, "buyers", "item"))} == {"I1", "I2", "I3"}


def test_hours_run_in_time_and_the_highest_is_marked(tiny: Context) -> None:
    result = ask(tiny, "paid_amount", "hour")
    assert rows(result) == [("10 点", "¥150"), ("12 点", "¥150"), ("20 点", "¥300")]
    assert [r["by"] for r in result.data["rows"] if r["peak"]] == ["20 点"]
    english = replace(tiny, lang="en", sheet=FactSheet(tiny.at, "en", "CNY"))
    assert [by for by, _ in rows(ask(english, "paid_amount", "hour"))] == ["10:00", "12:00", "20:00"]


def test_an_hour_that_is_not_over_is_set_against_none(tiny: Context) -> None:
    result = reports.metric(tiny, ["buyers"], ["all"], "2026-06-17", "2026-06-17", by="hour", compare="previous_day")
    assert [("other" in r) for r in result.data["rows"] if r["by"] == "10 点"] == [False]
    assert result.data["hourly"]


def test_channels_lifecycles_and_people_without_have_names(tiny: Context) -> None:
    sent = dict(rows(ask(tiny, "touch_sent", "channel")))
    # t02a, t07c, t03 by sms, t01b by push, t02b in the group, t10 on no known channel; t06 is after T
    assert sent == {"短信": "3", "Push": "1", "群消息": "1", "未知": "1"}
    assert dict(rows(ask(tiny, "touch_sent", "channel", only="sms"))) == {"短信": "3"}
    states = dict(rows(ask(tiny, "crowd_size", "lifecycle")))
    assert states["新会员"] == "1 人"
    assert states["非会员"] == "5 人"
    assert len(states) == 8


def test_nothing_of_a_value_is_said(tiny: Context) -> None:
    result = ask(tiny, "touch_sent", "channel", only="live")
    assert result.data["rows"] == []
    assert result.data["empty"] == "6 月 16 日–6 月 17 日（截至 10:00）全店触达条数里没有直播口播的"


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("by", [b for b in metrics.BY if b != "day"])
def test_every_metric_is_split_or_refused_with_what_is_possible(tiny: Context, by: str, lang: str) -> None:
    for key in catalog.metrics():
        if metrics.splittable(key, by):
            assert splits.fitting([key], by) == [key]
            continue
        with pytest.raises(AskAgain) as e:
            splits.fitting([key], by)
        assert e.value.code == "no_such_split_of"
        assert catalog.metrics()[key].name.get(lang) in e.value.message(lang)
        assert {"zh": "天", "en": "day"}[lang] in e.value.hint(lang)


def test_metrics_that_cannot_be_split_are_named_beside_those_that_can(tiny: Context) -> None:
    result = reports.metric(tiny, ["visitors", "paid_amount"], ["all"], *DAYS, by="channel")
    assert {r["metric"] for r in result.data["rows"]} == {"进店访客数"}
    assert "全部成交金额不能按渠道看，没有列出来。" in result.data["notes"]


def test_a_breakdown_nobody_knows_is_refused(tiny: Context) -> None:
    with pytest.raises(AskAgain) as e:
        ask(tiny, "buyers", "moon")
    assert e.value.code == "unknown_by"


# --- what is said of numbers that do not come from the window alone ------------------------------------------------


def test_peers_figures_say_where_they_come_from(tiny: Context) -> None:
    known = reports.metric(tiny, ["peer_rv_value"], ["all"], *DAYS)
    assert known.data["blocks"][0]["value"] == "¥55"
    assert any("导入的同行表" in note for note in known.data["notes"])
    unknown = reports.metric(tiny, ["peer_rv_value"], ["fan"], *DAYS)
    assert unknown.data["blocks"][0]["null"]
    assert any("没有这个人群的这一项" in note for note in unknown.data["notes"])


def test_relations_are_those_of_the_first_tracked_day(tiny: Context) -> None:
    result = reports.metric(tiny, ["rv_total"], ["all"], *DAYS)
    assert "RV 关系按统计首日 5 月 24 日的会员和粉丝算。" in result.data["notes"]
    assert not any("统计首日" in n for n in reports.metric(tiny, ["aov"], ["all"], *DAYS).data["notes"])


def test_refunds_that_no_order_tells_of_are_said(tmp_path: Path) -> None:
    orders = [{**row, "refund_amount": None} for row in tiny_shop.TABLES["orders"]]
    ctx = context(tmp_path, tables={**tiny_shop.TABLES, "orders": orders})
    result = reports.metric(ctx, ["refund_rate"], ["all"], *DAYS)
    assert result.data["blocks"][0]["null"]
    assert any("没有退款金额" in note for note in result.data["notes"])


def test_tables_that_are_missing_or_old_are_said(tmp_path: Path) -> None:
    ctx = context(tmp_path, tables={**tiny_shop.TABLES, "coupons": [], "touches": tiny_shop.TABLES["touches"][:3]})
    assert (
        "还没有优惠券数据，相关的数都是空的。"
        in reports.metric(ctx, ["coupon_redeem_rate"], ["all"], *DAYS).data["notes"]
    )
    notes = reports.metric(ctx, ["touch_sent"], ["all"], *DAYS).data["notes"]
    assert "触达数据最近一条是 6 月 15 日 23:59 的。" in notes


@pytest.mark.parametrize(
    ("key", "tables"),
    [
        ("visitors", {"events"}), ("paid_amount", {"orders"}), ("cart_pay_rate", {"events", "orders"}), ("aov", {"orders"}),
        ("new_members", {"customers"}), ("coupon_redeem_rate", {"coupons"}), ("touch_click_rate", {"touches"}),
        ("touch_roi", {"touches", "orders"}), ("peer_rv_value", {"peers"}), ("crowd_size", set()),
    ],
)  # fmt: skip
def test_the_tables_of_a_metric(key: str, tables: set[str]) -> None:
    assert metric_notes.tables_of([key]) == tables


def test_an_roi_is_a_number_and_its_change_in_percent(tiny: Context) -> None:
    # in the window 750 was attributed (u02's 150, u03's 150, … each line once) over costs that are known
    result = reports.metric(tiny, ["touch_roi"], ["all"], *DAYS)
    value = result.data["blocks"][0]["value"]
    assert "%" not in value
    fact = next(f for f in result.facts if f.metric == "touch_roi")
    assert (fact.unit, fact.display) == ("ratio", f"{fact.value:,.2f}")
    assert catalog.metrics()["touch_roi"].multiple
