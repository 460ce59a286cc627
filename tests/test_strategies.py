"""The strategy catalogue: nothing of the sources is missing, and no entry can say what cannot be."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from knowledge import catalog
from knowledge.catalog import CatalogError
from knowledge.chunks import sections
from knowledge.strategies import ANY, KINDS, Strategy, builtin, calendar, scenes, slip_of

# Sections that state no way of working: cases and figures. Everything else is the source of an entry.
CASES = {
    "private-public-domain#early-start",
    "private-public-domain#from-online-to-all",
    "private-public-domain#mini-programme-growth",
    "private-public-domain#zhuyeqing",
    "member-repurchase-case#brand",
    "member-repurchase-case#long-618",
    "member-repurchase-case#gap-example",
}


# --- the task table of source 004, row for row -------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    scene: str
    phase: str
    title: str
    text: str
    effect: str


def rows(seeds: Path) -> list[Row]:
    text = (seeds / "004_1bdc02d56a328a8c.txt").read_text(encoding="utf-8")
    table = text.split("场景类型 | 大促阶段 | 策略 | 策略描述 | 策略效果 |")[1].split("四、大促作战室数据指标释义")[0]
    out: list[Row] = []
    scene = phase = ""
    for line in table.splitlines():
        cells = [c.strip() for c in line.split("|")]
        if len(cells) < 3 or set(cells) <= {"", "---"}:
            continue
        if cells[0] in {"大促优选", "会员", "粉丝", "专属客服", "淘宝群"}:
            scene, phase, *cells = cells
        elif re.match(r"^(?:\d、|第[一二]波(?:[：:]|[^：:]*\()|蓄水期|正式售卖|全周期)", cells[0]):
            phase, *cells = cells
        title, text, effect = (*cells, "", "")[:3]
        out.append(Row(scene, phase, title, text, effect))
    return out


# Phases without days in their own cell: the days of the same phase in the calendar of domain.md, or in another group's cell.
SPANS = {
    "全周期": ("05-01", "06-20"),
    "第一波:预售": ("05-24", "05-28"),
    "第一波:预热": ("05-29", "05-31"),
    "第一波:尾款": ("06-01", "06-03"),
    "第二波:品类日": ("06-14", "06-15"),
    "第二波:预热": ("06-04", "06-15"),
    "正式售卖": ("06-16", "06-20"),
}
BEFORE = {"(5.20前)": ("05-01", "05-20"), "(5.25前)": ("05-01", "05-24")}
EFFECTS: dict[str, tuple[str, ...]] = {
    "提升进店": ("visit_rate",),
    "提升预售率": ("visit_deposit_rate",),
    "提升加购率": ("visit_cart_rate",),
    "提升成交率": ("cart_pay_rate", "visit_pay_rate"),
    "会员招新": ("new_members",),
    "提升回访率": ("visit_rate",),
    "会员蓄水": ("repurchase_rate",),
    "粉丝蓄水": ("crowd_size",),
    "大促蓄水": ("visit_rate",),
    "大促招商": ("visit_rate",),
    "预售蓄水": ("visit_deposit_rate",),
    "老客沉淀": ("deposit_balance_rate",),  # 提升尾款支付率和复购率
}


def month_day(text: str) -> str:
    month, day = text.split(".")
    return f"{int(month):02}-{int(day):02}"


def span(row: Row) -> tuple[str, str]:
    """The days that the row means: a day in its own words, else those of its phase's cell."""
    one = re.match(r"(\d+\.\d+)号针对", row.text) or re.match(r"(\d+\.\d+)周", row.title)
    if one:
        return month_day(one[1]), month_day(one[1])
    two = re.search(r"\((\d+\.\d+)[-~](\d+\.\d+)\)", row.phase)
    if two:
        return month_day(two[1]), month_day(two[2])
    before = next((days for mark, days in BEFORE.items() if mark in row.phase), None)
    return before or SPANS[row.phase.replace("：", ":").strip()]


def lead(row: Row, previous: int) -> int:
    found = re.search(r"提前(\d+)天", row.text)
    if found:
        return int(found[1])
    return previous if "一起准备" in row.text else 0


def test_every_row_of_the_task_table_has_its_entry(seeds: Path) -> None:
    table = rows(seeds)
    entries = [s for s in builtin() if s.campaign == "618"]
    assert len(table) == len(entries) == 58
    days = {key: (first, last) for key, first, last in calendar()["618"]}
    before = 0
    for row, s in zip(table, entries, strict=True):
        assert re.sub(r"\W", "", row.title) == re.sub(r"\W", "", s.title.zh)
        assert row.scene == s.scene, s.id
        assert (s.first, s.last) == span(row), s.id
        before = lead(row, before)
        assert s.lead_days == before, s.id
        assert s.kind == "task"
        if row.effect:
            assert s.metric in EFFECTS[row.effect], s.id
        # The phases named are those that the days begin in.
        begins = next(k for k, (a, b) in days.items() if f"{a:%m-%d}" <= (s.first or "") <= f"{b:%m-%d}")
        assert begins in s.phases, s.id


# --- what the other sources say ----------------------------------------------------------------------------------


def test_every_section_that_states_a_method_has_an_entry() -> None:
    used = {f"{s.source.playbook}#{s.source.section}" for s in builtin() if s.source}
    method_sections = {key for key in sections() if not key.startswith(("618-war-room#", "how-we-count#"))}
    assert method_sections - used == CASES


@pytest.mark.parametrize(
    ("section", "crowd"),
    [
        ("double11-member-operations#five-crowds", "public_new"),
        ("double11-member-operations#nonmember-unbought", "nonmember_unbought"),
        ("double11-member-operations#nonmember-bought", "nonmember_bought"),
        ("double11-member-operations#member-unbought", "member_unbought"),
        ("double11-member-operations#member-bought", "member_bought"),
        ("double11-old-customers#wake-dormant", "dormant_vip"),
        ("member-repurchase-case#tactic-new", "new_member"),
        ("member-repurchase-case#tactic-active", "active_old"),
        ("member-repurchase-case#tactic-prechurn-high", "prechurn_high"),
        ("member-repurchase-case#tactic-prechurn-low", "prechurn_low"),
        ("member-repurchase-case#tactic-churned", "churned"),
    ],
)
def test_crowds_that_the_sources_name_have_their_task(section: str, crowd: str) -> None:
    mine = [s for s in builtin() if s.source and f"{s.source.playbook}#{s.source.section}" == section]
    assert any(s.kind == "task" and re.search(rf"\b{crowd}\b", s.crowd) for s in mine)


def test_the_cases_hold_for_any_campaign_and_double_11_for_its_own() -> None:
    for s in builtin():
        assert s.source is not None
        if s.source.playbook in ("private-public-domain", "member-repurchase-case"):
            assert s.campaign == ANY, s.id
        elif s.source.playbook == "618-war-room":
            assert s.campaign == "618", s.id
        else:
            assert s.campaign == "double11" or s.phase_kinds <= {"review", "presale", "preheat", "sale"}, s.id


def test_nothing_asks_for_payment_before_it_can_be_paid() -> None:
    words = ("催付", "催单", "逼单")
    for s in builtin():
        if s.pay:
            assert s.phase_kinds == {"sale"}, s.id
            assert s.metric in ("cart_pay_rate", "visit_pay_rate"), s.id
        else:
            said = [s.title.zh, s.what.zh, *(s.aliases), s.purpose.zh if s.purpose else ""]
            assert not any(w in text for w in words for text in said), s.id
    assert sum(s.pay for s in builtin()) >= 10


def test_a_method_has_no_audience_and_a_task_for_people_says_what_it_offers() -> None:
    for s in builtin():
        assert s.metric in catalog.metrics(), s.id
        if s.kind == "method":
            assert (s.crowd, s.channels) == ("all", []), s.id
        elif s.channels:
            assert s.benefit is not None, s.id
            assert s.purpose is not None, s.id


def test_aliases_name_one_thing() -> None:
    """No alias stands for two strategies, nor for a crowd or a metric."""
    entries: list[catalog.Named] = [*catalog.crowds().values(), *catalog.metrics().values()]
    taken = {n.casefold() for e in entries for n in (e.name.zh, e.name.en, *e.aliases)}
    seen: dict[str, str] = {}
    for s in builtin():
        assert s.aliases, s.id
        for alias in s.aliases:
            assert alias.casefold() not in taken, alias
            assert seen.setdefault(alias.casefold(), s.id) == s.id, alias


# --- slips -------------------------------------------------------------------------------------------------------

GOOD: dict[str, Any] = {
    "id": "x",
    "scene": "会员",
    "campaign": "618",
    "phases": ["sale2"],
    "title": {"zh": "甲", "en": "A"},
    "what": {"zh": "做甲。", "en": "Do A."},
}


def test_a_good_entry_has_no_slip() -> None:
    assert slip_of(Strategy.model_validate(GOOD), calendar()) is None
    assert set(KINDS) == {k.rstrip("0123456789") for phases in calendar().values() for k, _, _ in phases}
    assert "自有" in scenes()


@pytest.mark.parametrize(
    ("change", "why", "key", "nearest"),
    [
        ({"scene": "会員"}, "unknown", "scene", "会员"),
        ({"metric": "visit_rat"}, "unknown", "metric", "visit_rate"),
        ({"campaign": "doubl11"}, "unknown", "campaign", "double11"),
        ({"phases": ["sale3"]}, "unknown", "phases", "sale2"),
        ({"campaign": "any", "phases": ["sale1"]}, "unknown", "phases", "sale"),
        ({"phases": []}, "missing", "phases", "pool"),
        ({"from": "06-16"}, "missing", "to", None),
        ({"from": "06-31", "to": "07-01"}, "day", "from", None),
        ({"from": "06-18", "to": "06-17"}, "order", "to", "06-18"),
        ({"from": "06-18", "to": "07-01"}, "outside", "to", "05-01"),
        ({"campaign": "any", "phases": ["sale"], "from": "06-18", "to": "06-19"}, "outside", "from", "prepare"),
        ({"pay": True, "phases": ["pool", "sale1"]}, "pay", "phases", "sale1"),
        ({"kind": "method", "channels": ["sms"]}, "method", "channels", None),
        ({"kind": "method", "pay": True}, "method", "pay", None),
    ],
)
def test_what_cannot_be_is_told_with_what_can(
    change: dict[str, object], why: str, key: str, nearest: str | None
) -> None:
    slip = slip_of(Strategy.model_validate({**GOOD, **change}), calendar())
    assert slip is not None
    assert (slip.why, slip.key) == (why, key)
    assert (slip.valid[0] if slip.valid else None) == nearest


def test_a_file_of_the_product_is_held_to_it_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from knowledge import strategies

    (tmp_path / "tasks").mkdir()
    (tmp_path / "scenes.yaml").write_text("scenes: [{zh: 会员, en: members}]", encoding="utf-8")
    monkeypatch.setattr(strategies, "HERE", tmp_path)
    scenes.cache_clear()
    entry = "{id: x, scene: 会员, campaign: '618', phases: [sale2], title: {zh: 甲, en: A}, what: {zh: 做甲。, en: Do.}"
    source = "source: {playbook: 618-war-room, section: sale2-last-push}"
    try:
        for text, part in [
            (entry + "}", "x: source: missing"),
            (f"{entry}, {source}}}", "x: metric: missing"),
            (f"{entry}, {source}, metric: visit_rate, channels: [sms]}}", "x: benefit: missing"),
            (f"{entry}, {source}, metric: visit_rate, pahses: [a]}}", "did you mean 'phases'?"),
            (f"{entry}, {source}, metric: visit_rat}}", "valid: visit_rate"),
            (f"{entry}, {source}, metric: visit_rate}}, {entry}, {source}, metric: visit_rate}}", "'x' stands twice"),
        ]:
            (tmp_path / "tasks" / "a.yaml").write_text(f"strategies: [{text}]", encoding="utf-8")
            with pytest.raises(CatalogError, match=re.escape(part)):
                strategies.builtin.__wrapped__()
    finally:
        scenes.cache_clear()
