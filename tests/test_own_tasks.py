"""A shop's own task list: it adds, changes and takes out, holds at once, and says what is wrong without stopping anything."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import grounding
from bot.conversation import Question, answer
from bot.wiring import WarRoom
from knowledge import catalog
from knowledge.strategies import Strategy
from tools import audience, own_tasks
from tools.campaigns import Campaign, date_campaign
from tools.errors import NeedsPerson
from tools.own_tasks import read_entry, strategies_for, tasks_file
from tools.plans import plan

SALE = datetime(2026, 6, 17, 10)
CAMPAIGNS: tuple[Campaign, ...] = (date_campaign(catalog.campaign_templates()["618"], 2026, "test"),)
NEW = {"title": "加播一场", "what": "晚上加播，讲 3 款怎么用。", "campaign": "618", "phases": ["sale2"]}


@pytest.fixture
def room(demo_root: Path, tmp_path: Path) -> Iterator[WarRoom]:
    """The demo shop in a folder of its own, so that a task list in it is nobody else's."""
    root = tmp_path / "shop"
    root.mkdir()
    for path in demo_root.iterdir():
        if path.name in ("data.duckdb", "shop.yaml"):
            os.link(path, root / path.name)
    with WarRoom(root) as opened:
        yield opened


def write(room: WarRoom, *entries: Any) -> None:
    text = yaml.safe_dump({"tasks": list(entries)}, allow_unicode=True)
    tasks_file(room.shop.root).write_text(text, encoding="utf-8")


def read(entry: dict[str, Any]) -> Strategy:
    strategy = read_entry(entry, 1, CAMPAIGNS)[1]
    assert strategy is not None
    return strategy


# --- what it does ------------------------------------------------------------------------------------------------


def test_a_new_task_is_planned_and_cited_at_once_and_gone_when_it_is(room: WarRoom) -> None:
    def ids() -> list[str]:
        return [a.id for a in plan(room.context(SALE, "zh"), None, limit=None).actions]

    before = ids()
    write(room, {**NEW, "id": "late-live", "crowd": "会员 且 非 本波已成交", "channels": ["群消息", "live"]})
    result = plan(room.context(SALE, "zh"), None, limit=None)
    mine = next(a for a in result.actions if a.id == "late-live")
    assert mine.title.startswith("加播一场 · ")
    assert (mine.channels, mine.when) == (["group", "live"], "2026-06-17 20:00")
    cited = next(c for c in result.citations if c.id == mine.cites[0])
    assert (cited.source, cited.section, cited.quote) == ("tasks.yaml", "加播一场", NEW["what"])
    assert set(ids()) == {*before, "late-live"}
    tasks_file(room.shop.root).unlink()
    assert ids() == before


@pytest.mark.parametrize(
    "more",
    [{"crowd": "cart_unpaid"}, {"crowd": "加购收藏未付款 且 会员"}, {"crowd": "member", "metric": "cart_pay_rate"},
     {"crowd": "member", "pay": True}],
)  # fmt: skip
def test_an_own_task_about_paying_ends_on_paying_and_leaves_out_who_owes_a_balance(
    room: WarRoom, more: dict[str, Any]
) -> None:
    task = {**NEW, "id": "mine", "phases": ["sale1"], "channels": ["sms"], **more}
    write(room, task, {**task, "id": "other", "title": "聊聊", "crowd": "member", "pay": False, "metric": None})
    ctx = room.context(datetime(2026, 6, 2, 11), "zh")
    by_id = {a.id: a for a in plan(ctx, None, limit=None).actions}
    assert by_id["mine"].stop_rule == "付款即移出"
    assert by_id["other"].stop_rule == "有回应即移出"
    owing = f"({by_id['mine'].crowd}) and balance_due"
    assert audience.sizes(room.engine, [owing, "balance_due"], ctx.scope)[owing].people == 0
    assert by_id["mine"].people


def test_an_alternative_in_chinese_leaves_buyers_out_as_a_whole(room: WarRoom) -> None:
    write(room, {**NEW, "id": "mine", "crowd": "粉丝或加购未付款", "channels": ["sms"]})
    ctx = room.context(SALE, "zh")
    mine = next(a for a in plan(ctx, None, limit=None).actions if a.id == "mine")
    assert mine.crowd == "(fan or cart_unpaid) and not wave_buyers"


def test_an_own_task_for_the_whole_shop_has_no_audience(room: WarRoom) -> None:
    write(room, {**NEW, "id": "mine", "crowd": "全店", "channels": ["group"]})
    mine = next(a for a in plan(room.context(SALE, "zh"), None, limit=None).actions if a.id == "mine")
    assert (mine.title, mine.crowd, mine.people, mine.stop_rule) == ("加播一场", None, None, None)


def test_an_answer_is_not_remembered_over_a_change_and_traces_the_shops_own_numerals(room: WarRoom) -> None:
    question = Question("今天要做什么", as_of=SALE)
    first = answer(room, question)
    write(room, {**NEW, "title": "三点加播两场 50 款"}, {**NEW, "title": "打法", "kind": "method", "campaign": "any",
                                                      "phases": "sale"})  # fmt: skip
    reply = answer(room, question)
    assert "三点加播两场 50 款" in reply.text
    assert "打法：晚上加播，讲 3 款怎么用。" in reply.text
    assert reply.text != first.text
    assert reply.degraded is None
    assert grounding.problems(reply, question.text) == []


def test_the_same_id_changes_only_what_is_given(room: WarRoom) -> None:
    write(room, {"id": "promo-sale2-cart-fav-unpaid", "from": "06-18", "to": "06-19", "title": "改过的催付"})
    mine = {s.id: s for s in strategies_for(room.shop)}
    built_in = {s.id: s for s in catalog.strategies()}
    key = "promo-sale2-cart-fav-unpaid"
    given = {"first", "last", "title"}
    for name in Strategy.model_fields:
        assert (getattr(mine[key], name) == getattr(built_in[key], name)) == (name not in given), name
    assert mine[key].title.en == "改过的催付", "one text serves both languages"
    assert list(mine) == list(built_in)
    assert key not in [a.id for a in plan(room.context(SALE, "zh"), None, limit=None).actions]
    assert key in [a.id for a in plan(room.context(SALE.replace(day=18), "zh"), None, limit=None).actions]


def test_off_takes_an_entry_out(room: WarRoom) -> None:
    write(room, {"id": "promo-sale2-cart-fav-unpaid", "off": True})
    assert len(strategies_for(room.shop)) == len(catalog.strategies()) - 1
    assert own_tasks.own_tasks(room.shop).problems == ()


def test_a_short_entry_is_filled_in() -> None:
    s = read({**NEW, "campaign": 618, "phases": "sale2", "channels": "短信", "metric": "转化率", "scene": "members"})
    assert (s.campaign, s.phases, s.channels, s.metric, s.scene) == (
        "618", ["sale2"], ["sms"], "conversion_rate", "会员",
    )  # fmt: skip
    assert (s.kind, s.crowd, s.source, s.lead_days, s.pay) == ("task", "all", None, 0, False)
    assert (s.title.zh, s.title.en) == ("加播一场", "加播一场")
    assert s.id == read(NEW).id == f"own-{s.id[4:]}", "the same title, the same id"
    by_days = read({**{k: v for k, v in NEW.items() if k != "phases"}, "from": "05-27", "to": "06-02"})
    assert by_days.phases == ["presale", "preheat1", "sale1"]
    assert read({**NEW, "id": "promo-sale2-last-push", "phases": ["sale1"]}).first is None, "days of its own no more"


# --- what is wrong with it ---------------------------------------------------------------------------------------

WRONG: list[tuple[Any, str, list[str]]] = [
    ({**NEW, "waht": 1}, "task_key", ["waht", "what"]),
    ({k: v for k, v in NEW.items() if k != "what"}, "task_missing", ["what"]),
    ({**NEW, "what": " "}, "task_missing", ["what"]),
    ({k: v for k, v in NEW.items() if k != "phases"}, "task_missing", ["phases"]),
    ({**NEW, "phases": ["sale9"]}, "task_unknown", ["sale9", "sale2"]),
    ({**NEW, "campaign": "619"}, "task_unknown", ["619", "618"]),
    ({**NEW, "channels": ["smss"]}, "task_unknown", ["smss", "sms"]),
    ({**NEW, "metric": "visit_rat"}, "task_unknown", ["visit_rat", "visit_rate"]),
    ({**NEW, "scene": "会圆"}, "task_unknown", ["会圆", "会员"]),
    ({**NEW, "slot": "mornin"}, "task_unknown", ["mornin", "morning"]),
    ({**NEW, "crowd": "membr"}, "task_crowd", ["membr", "member"]),
    ({**NEW, "crowd": "member and ("}, "task_crowd", ["crowd"]),
    ({**NEW, "source": {"playbook": "618-war-room", "section": "sale2-last"}}, "task_unknown", ["sale2-last-push"]),
    ({**NEW, "from": "6/1", "to": "06-03"}, "task_form", ["6/1", '"06-01"']),
    ({**NEW, "from": "06-31", "to": "06-31"}, "task_form", ["06-31"]),
    ({**NEW, "from": "06-19", "to": "06-18"}, "task_order", ["06-18", "06-19"]),
    ({**NEW, "from": "07-01", "to": "07-02"}, "task_outside", ["07-01", "05-01, 06-30"]),
    ({**NEW, "lead_days": "soon"}, "task_form", ["soon", "3"]),
    ({**NEW, "phases": ["pool"], "pay": True}, "task_pay", ["pool", "sale1, sale2"]),
    ({**NEW, "kind": "method", "channels": ["sms"]}, "task_method", ["channels"]),
    ({"id": "promo-sale2-last-pus", "off": True}, "task_unknown", ["promo-sale2-last-push"]),
    ({"id": "promo-sale2-last-push", "off": "yes"}, "task_form", ["yes", "true"]),
    ("加播一场", "task_form", ["加播一场"]),
    ({**NEW, "id": "a b"}, "task_form", ["a b"]),
]


@pytest.mark.parametrize(("entry", "code", "parts"), WRONG)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_mistake_is_one_sentence_with_place_and_what_would_do(
    entry: Any, code: str, parts: list[str], lang: str
) -> None:
    with pytest.raises(NeedsPerson) as e:
        read_entry(entry, 7, CAMPAIGNS)
    assert e.value.code == code
    said = e.value.message(lang)
    assert said.startswith("tasks.yaml 第 7 条" if lang == "zh" else "tasks.yaml, entry 7")
    assert all(part in said for part in parts), said
    assert e.value.hint(lang)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("tasks: [", "tasks_yaml"),
        ("- title: x", "tasks_shape"),
        ("tasks: []\ntask: []", "tasks_shape"),
        ("tasks: {a: 1}", "tasks_shape"),
        ("tasks: [" + "[" * 3000, "tasks_yaml"),
        ("a" * (1 << 20) + "bc", "tasks_too_big"),
    ],
)
def test_a_file_that_cannot_be_read_leaves_the_catalogue_as_it_is(room: WarRoom, text: str, code: str) -> None:
    tasks_file(room.shop.root).write_text(text, encoding="utf-8")
    found = own_tasks.own_tasks(room.shop)
    assert [p.code for p in found.problems] == [code]
    assert list(found.strategies) == catalog.strategies()


def test_an_empty_file_and_other_bytes(room: WarRoom) -> None:
    tasks_file(room.shop.root).write_bytes(b"\xef\xbb\xbf")
    assert own_tasks.own_tasks(room.shop) == own_tasks.OwnTasks(tuple(catalog.strategies()))
    tasks_file(room.shop.root).write_bytes("tasks: []  # 任务".encode("gb18030"))
    assert [p.code for p in own_tasks.own_tasks(room.shop).problems] == ["not_utf8"]


def test_the_rest_holds_and_plan_and_status_tell_alike(
    room: WarRoom, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from bot.cli import main

    twice = {**NEW, "id": "late-live"}
    write(room, twice, {**NEW, "waht": 1}, twice)
    result = plan(room.context(SALE, "en"), None, limit=None)
    assert "late-live" in [a.id for a in result.actions]
    told = [n for n in result.data["notes"] if "tasks.yaml" in n]
    assert len(told) == 2
    assert 'entry 2 (加播一场): unknown key "waht"; the nearest is "what".' in told[0]
    assert 'entry 3 (late-live): the id "late-live" stands above already.' in told[1]
    unpaid = plan(room.context(SALE, "en"), "cart_unpaid")
    outside = plan(room.context(datetime(2026, 8, 1, 9), "en"), None)
    assert [n for n in unpaid.data["notes"] if "tasks.yaml" in n] == told
    assert [n for n in outside.data["lines"] if "tasks.yaml" in n] == told
    root = str(room.shop.root)
    room.close()
    assert main(["--shop", root, "status"]) == 0
    printed = capsys.readouterr().out
    assert all(line in printed for line in told)
    assert "1 entries in force" in printed
    assert main(["--shop", root, "status", "--json"]) == 0
    import json

    document = json.loads(capsys.readouterr().out)["tasks"]
    assert (document["own"], [p["code"] for p in document["problems"]]) == (1, ["task_key", "task_twice"])


_SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.dates(), st.text(max_size=8),
    st.sampled_from(["618", "double11", "any", "sale2", "sale", "06-17", "06-18", "member", "sms", "method", "last"]),
)  # fmt: skip
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["zh", "en", "x"]), inner),
    max_leaves=4,
)
_KEYS = st.sampled_from([f.alias or name for name, f in Strategy.model_fields.items()] + ["off", "waht"])


@settings(max_examples=400, deadline=None)
@given(st.dictionaries(_KEYS, _VALUES, max_size=8) | _VALUES, st.booleans())
def test_whatever_stands_in_an_entry_it_is_taken_or_refused(entry: Any, whole: bool) -> None:
    if whole and isinstance(entry, dict):
        entry = {**NEW, **entry}
    strategy: Strategy | None = None
    refused: list[str] = []
    try:
        strategy = read_entry(entry, 1, CAMPAIGNS)[1]
    except NeedsPerson as e:
        refused = [e.message("zh"), e.message("en")]
    assert all(said.startswith("tasks.yaml") for said in refused)
    assert strategy is None or strategy.title.zh.strip()
