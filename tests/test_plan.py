"""The plan for un-paid people: what each phase allows, and that nobody who paid is ever reminded."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from bot.conversation import Question, answer
from bot.wiring import WarRoom
from knowledge import catalog
from knowledge.chunks import first_sentence
from tools import audience
from tools.errors import AskAgain
from tools.plans import plan
from tools.schedule import schedule
from tools.task_list import UNPAID, Task
from tools.tasks import shown_title

QUESTIONS = {"zh": "加购未付款的人今天怎么做", "en": "What should I do today for un-paid carters?"}
PHASES = {
    "pool": datetime(2026, 5, 10, 12),
    "presale": datetime(2026, 5, 26, 12),
    "preheat1": datetime(2026, 5, 30, 12),
    "sale1": datetime(2026, 6, 2, 12),
    "sale1, last day": datetime(2026, 6, 3, 12),
    "preheat2": datetime(2026, 6, 10, 12),
    "sale2": datetime(2026, 6, 17, 10),
    "review": datetime(2026, 6, 25, 10),
}
# Words that push somebody to pay. They may stand in a line that says what not to do.
PUSH = {
    "zh": ("催付 ", "提醒付尾款", "结算链接", "加码权益促成"),
    "en": ("Remind ", "checkout link", "Raise the benefit for"),
}


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_phase_gets_another_plan(demo: WarRoom, lang: str) -> None:
    texts = {
        phase: answer(demo, Question(QUESTIONS[lang], as_of=at)).text.split("\n")[0] for phase, at in PHASES.items()
    }
    kinds = {k: texts[k] for k in ("pool", "presale", "preheat1", "sale2", "sale1, last day", "review")}
    assert len(set(kinds.values())) == 6, kinds


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("phase", ["pool", "presale", "preheat1", "preheat2", "review"])
def test_nobody_is_pushed_to_pay_when_nothing_is_payable(demo: WarRoom, phase: str, lang: str) -> None:
    reply = answer(demo, Question(QUESTIONS[lang], as_of=PHASES[phase]))
    assert reply.actions
    assert not any(word in a.title for a in reply.actions for word in PUSH[lang]), [a.title for a in reply.actions]
    assert all(a.task not in ("promo-sale1-cart-fav-unpaid", "promo-sale2-cart-fav-unpaid") for a in reply.actions)


@pytest.mark.parametrize("phase", [p for p in PHASES if p != "sale1" and p != "sale1, last day"])
def test_balances_are_reminded_only_in_a_balance_window(demo: WarRoom, phase: str) -> None:
    reply = answer(demo, Question(QUESTIONS["zh"], as_of=PHASES[phase]))
    assert all(a.id != "sale-balance" for a in reply.actions)


def test_balances_are_reminded_in_the_balance_window_and_not_pushed_otherwise(demo: WarRoom) -> None:
    for phase in ("sale1", "sale1, last day"):
        reply = answer(demo, Question(QUESTIONS["zh"], as_of=PHASES[phase]))
        balance = next(a for a in reply.actions if a.id == "sale-balance")
        assert balance.crowd == "balance_due"
        assert balance.people == 325 if phase == "sale1" else 197
        others = [a for a in reply.actions if a.id != "sale-balance"]
        assert all("not balance_due" in (a.crowd or "") for a in others)


@pytest.mark.parametrize("phase", [p for p in PHASES if p != "review"])
def test_nobody_who_paid_is_in_an_audience(demo: WarRoom, phase: str) -> None:
    """Hand-written: of each audience, the people who paid at or after their first cart of the wave."""
    at = PHASES[phase]
    ctx = demo.context(at, "zh")
    assert ctx.campaign is not None
    start = ctx.campaign.wave_at(at.date()).first
    payers = f"""
        WITH first_cart AS (SELECT user_id, min(ts) AS t FROM events
                            WHERE kind = 'cart' AND ts >= '{start}' AND ts <= '{at}' GROUP BY 1)
        SELECT DISTINCT f.user_id FROM first_cart f JOIN orders o ON o.user_id = f.user_id
        WHERE o.paid_at >= f.t AND o.paid_at <= '{at}'"""
    for action in plan(ctx, "cart_unpaid").actions:
        if action.crowd == "balance_due" or not action.crowd:
            continue
        shape = ("audience", action.crowd)
        sql = demo.engine.statement(shape, lambda e, c=action.crowd: audience.expression(demo.engine, c, e), ctx.scope)  # type: ignore[misc]
        rows = demo.engine.query(f"SELECT count(*) AS n FROM ({sql}) AS a WHERE user_id IN ({payers})")
        assert rows[0]["n"] == 0, action.id
        assert demo.engine.query(f"SELECT count(*) AS n FROM ({sql}) AS a")[0]["n"] == action.people


@pytest.mark.parametrize("phase", list(PHASES))
def test_audiences_of_one_plan_do_not_overlap(demo: WarRoom, phase: str) -> None:
    """Nobody gets two messages from one plan (in review the care for buyers builds on the notice to all of them)."""
    if phase == "review":
        pytest.skip("care and invitation follow the same notice")
    ctx = demo.context(PHASES[phase], "zh")
    crowds = [a.crowd for a in plan(ctx, "cart_unpaid").actions if a.crowd]
    pairs = [f"({a}) and ({b})" for i, a in enumerate(crowds) for b in crowds[i + 1 :]]
    assert all(c.people == 0 for c in audience.sizes(demo.engine, pairs, ctx.scope).values())


@pytest.mark.parametrize("phase", ["sale2", "preheat1"])
def test_audiences_of_a_plan_cover_the_crowd(demo: WarRoom, phase: str) -> None:
    ctx = demo.context(PHASES[phase], "zh")
    people = sum(a.people or 0 for a in plan(ctx, "cart_unpaid").actions)
    # Balances can no longer be paid in the second wave, so nobody is left out for owing one.
    whole = "cart_unpaid" if phase == "sale2" else "cart_unpaid and not balance_due"
    assert people == audience.sizes(demo.engine, [whole], ctx.scope)[whole].people


@pytest.mark.parametrize("phase", list(PHASES))
@pytest.mark.parametrize("crowd", UNPAID)
def test_actions_are_complete_and_in_time(demo: WarRoom, phase: str, crowd: str) -> None:
    at = PHASES[phase]
    result = plan(demo.context(at, "zh"), crowd)
    assert len(result.actions) + len(result.data["donts"]) <= 5
    facts = {f.id: f for f in result.facts}
    rules = catalog.unpaid()
    for a in result.actions:
        assert a.people
        assert facts[a.why[0]].value == a.people
        assert {c.id for c in result.citations} >= set(a.cites) != set()
        assert a.stop_rule
        assert a.deadline
        if a.channels:
            assert a.when
            when = datetime.fromisoformat(a.when)
            assert at < when < datetime.fromisoformat(a.deadline)
            quiet = when.strftime("%H:%M") >= rules.quiet_from or when.strftime("%H:%M") < rules.quiet_to
            assert not (quiet and set(a.channels) & set(rules.quiet_channels))


def test_balance_question_outside_the_window_says_so(demo: WarRoom) -> None:
    reply = answer(demo, Question("付了定金没付尾款的人今天怎么办", as_of=PHASES["sale2"]))
    assert reply.text.startswith("**现在不在付尾款的时间里，不催尾款。**")
    assert reply.actions == []


def test_outside_every_campaign_nobody_is_pushed(demo: WarRoom) -> None:
    reply = answer(demo, Question(QUESTIONS["zh"], as_of=datetime(2026, 8, 1, 10)))
    assert reply.text.startswith("**今天不在任何活动期里，没有开着的波次，谁都不催付。**")
    assert "9 月 1 日" in reply.text
    assert reply.actions == []


def test_before_every_campaign_it_still_answers(demo: WarRoom) -> None:
    reply = answer(demo, Question(QUESTIONS["en"], as_of=datetime(2024, 1, 1, 10)))
    assert "outside every campaign" in reply.text
    assert reply.degraded is None


def test_late_on_the_last_day_only_a_push_is_left_and_then_nothing() -> None:
    rules = catalog.unpaid()
    end = datetime(2026, 6, 21)
    found = schedule(rules, "morning", ["sms"], datetime(2026, 6, 20, 22, 40), end, final=True)
    assert found is not None
    assert (found.at, found.channels) == (datetime(2026, 6, 20, 23), ["push"])
    assert schedule(rules, "morning", ["sms"], datetime(2026, 6, 20, 22, 40), end) is None, "nothing ends for good"
    assert schedule(rules, "morning", ["sms"], datetime(2026, 6, 20, 23, 50), end, final=True) is None


def test_nothing_is_sent_at_night() -> None:
    rules = catalog.unpaid()
    found = schedule(rules, "evening", ["push", "group"], datetime(2026, 6, 10, 23, 59, 59), datetime(2026, 6, 16))
    assert found is not None
    assert found.at == datetime(2026, 6, 11, 20)


def test_everything_due_in_a_balance_window_begins_with_the_balance(demo: WarRoom) -> None:
    """And its payment reminders leave out whoever owes one; hand-written count."""
    result = plan(demo.context(PHASES["sale1"], "zh"))
    assert result.actions[0].crowd == "balance_due"
    reminder = next(a for a in result.actions if a.task == "promo-sale1-cart-fav-unpaid")
    rows = demo.engine.query(
        """WITH sign AS (SELECT user_id, min(ts) AS t FROM events WHERE kind IN ('cart', 'favorite')
                         AND ts >= '2026-05-24' AND ts <= '2026-06-02 12:00' GROUP BY 1)
           SELECT count(*) AS n FROM sign s WHERE NOT EXISTS (SELECT 1 FROM orders o WHERE o.user_id = s.user_id
             AND o.paid_at >= s.t AND o.paid_at <= '2026-06-02 12:00')
           AND NOT EXISTS (SELECT 1 FROM orders o WHERE o.user_id = s.user_id AND o.kind = 'presale'
             AND o.deposit_paid_at >= '2026-05-01' AND o.deposit_paid_at <= '2026-06-02 12:00'
             AND (o.paid_at IS NULL OR o.paid_at > '2026-06-02 12:00'))"""
    )
    assert reminder.people == rows[0]["n"]


def test_too_late_to_send_is_not_nobody(demo: WarRoom) -> None:
    reply = answer(demo, Question(QUESTIONS["zh"], as_of=datetime(2026, 6, 3, 23, 50)))
    assert "已经来不及发了" in reply.text.split("\n")[0]
    assert "10 分钟" in reply.text
    assert reply.actions == []
    assert reply.degraded is None


def test_an_audience_says_how_many_its_channel_reaches(demo: WarRoom) -> None:
    reply = answer(demo, Question(QUESTIONS["zh"], as_of=PHASES["sale2"]))
    one_to_one = next(a for a in reply.actions if a.id == "sale-members")
    assert "（可触达 " in one_to_one.title


def test_a_slot_that_is_over_moves_on_within_the_day() -> None:
    rules = catalog.unpaid()
    for now, expected in [
        (datetime(2026, 6, 17, 8), datetime(2026, 6, 17, 9, 30)),
        (datetime(2026, 6, 17, 9, 20), datetime(2026, 6, 17, 11)),
        (datetime(2026, 6, 17, 15, 10), datetime(2026, 6, 17, 15, 30)),
        (datetime(2026, 6, 17, 21, 30), datetime(2026, 6, 18, 9, 30)),
    ]:
        found = schedule(rules, "morning", ["sms"], now, now + timedelta(days=3))
        assert found is not None
        assert found.at == expected


def test_tasks_of_today_follow_the_guide(demo: WarRoom) -> None:
    """06-09 is a member day of the guide: its notice comes first; 06-15 is worked in the category days."""
    result = plan(demo.context(datetime(2026, 6, 9, 9), "zh"), None, limit=None)
    ids = [a.id for a in result.actions]
    assert ids[0] == "member-preheat2-member-day-0609"
    assert not any(i.startswith(("promo-sale", "member-sale")) for i in ids)
    result = plan(demo.context(datetime(2026, 6, 14, 9), "zh"), None, limit=None)
    assert "promo-category-day-spot-cart" in [a.id for a in result.actions]
    assert any(p["task"] == "service-sale2-unbought-recall" for p in result.data["prepare"])


OWN_CAMPAIGN = """
name: own
campaigns:
  - key: year-end
    name: 年货节
    year: 2026
    phases:
      - {key: prepare, name: 准备, from: 2026-12-20, to: 2026-12-24}
      - {key: preheat1, name: 预热, from: 2026-12-25, to: 2026-12-31}
      - {key: sale1, name: 开卖, from: 2027-01-01, to: 2027-01-05}
      - {key: review, name: 复盘, from: 2027-01-06, to: 2027-01-10}
"""


def own_shop(root: Path, text: str = OWN_CAMPAIGN, tasks: str | None = None) -> Path:
    """A workspace without rows, with a campaign that goes on into the next year."""
    from tools import workspace

    workspace.create(root, name="own", campaigns=["618:2026"], demo=False)
    (root / "shop.yaml").write_text(text, encoding="utf-8")
    if tasks is not None:
        (root / "tasks.yaml").write_text(tasks, encoding="utf-8")
    return root


@pytest.mark.parametrize(
    ("day", "lender", "task"),
    [
        (datetime(2026, 12, 21, 9), "双11", "member11-sms-kit"),
        (datetime(2026, 12, 26, 9), "618", "group-preheat1-flash-sale"),
        (datetime(2027, 1, 2, 9), "618", "group-sale1-red-packet"),
    ],
)
def test_an_own_campaign_borrows_by_kind_of_phase_and_says_so(
    tmp_path: Path, day: datetime, lender: str, task: str
) -> None:
    with WarRoom(own_shop(tmp_path / "own")) as room:
        result = plan(room.context(day, "zh"), None, limit=None)
    assert result.data["assumed"] == [f"「年货节」这一段没有自己的任务清单，先借用{lender}同类阶段的打法"]
    assert task in [a.id for a in result.actions]
    assert not any("6." in a.title or "618" in a.title or "双11" in a.title for a in result.actions)
    assert result.data["methods"], "what holds for any campaign holds here"


def test_an_own_campaigns_own_list_takes_the_place_of_the_borrowed_one(tmp_path: Path) -> None:
    tasks = "tasks: [{id: lamps, title: 挂灯笼, what: 店里挂灯笼。, campaign: year-end, from: 12-30, to: 01-02}]"
    with WarRoom(own_shop(tmp_path / "own", tasks=tasks)) as room:
        for day in (datetime(2026, 12, 30, 9), datetime(2027, 1, 2, 9)):
            result = plan(room.context(day, "zh"), None, limit=None)
            assert "lamps" in [a.id for a in result.actions]
            assert result.data["assumed"] == []
        after = plan(room.context(datetime(2027, 1, 3, 9), "zh"), None, limit=None)
        assert "lamps" not in [a.id for a in after.actions]


SUMMER: list[dict[str, object]] = [
    {"title": "刀具专场", "campaign": "618", "from": "06-17", "to": "06-19"},
    {"title": "整波加场", "campaign": "618", "from": "06-16", "to": "06-20"},
    {"title": "每波都办", "campaign": "618", "phases": ["sale2"]},
]


def test_what_hangs_on_another_campaigns_days_is_not_borrowed(tmp_path: Path) -> None:
    tasks = yaml.safe_dump({"tasks": [{"what": "群里说一声。", **t} for t in SUMMER]}, allow_unicode=True)
    with WarRoom(own_shop(tmp_path / "own", tasks=tasks)) as room:
        sale = plan(room.context(datetime(2027, 1, 2, 9), "zh"), None, limit=None)
        preheat = plan(room.context(datetime(2026, 12, 26, 9), "zh"), None, limit=None)
    titles = [a.title for a in sale.actions]
    assert "每波都办" in titles
    assert not {"刀具专场", "整波加场"} & set(titles)
    assert "group-category-invite" not in [a.id for a in preheat.actions], "two days of twelve"
    said = [text for result in (sale, preheat) for text in result.data["what"].values()]
    assert said
    assert not any("618" in text or "6." in text or "月" in text for text in said)


DAYS = {"618": (datetime(2026, 5, 1, 9), 61), "double11": (datetime(2025, 9, 1, 9), 91)}


@pytest.mark.parametrize("campaign", list(DAYS))
def test_every_day_of_both_campaigns_has_something_cited_and_pushes_only_in_a_sale(
    demo: WarRoom, campaign: str
) -> None:
    pay = {s.id for s in catalog.strategies() if s.pay}
    first, days = DAYS[campaign]
    for at in (first + timedelta(days=n) for n in range(days)):
        ctx = demo.context(at, "zh")
        result = plan(ctx, None, limit=None)
        here = f"{at:%m-%d}"
        shown = [*result.data["prepare"], *result.data["methods"]]
        assert result.actions or shown or result.data["watch"], here
        assert result.citations, here
        cited = {c.id for c in result.citations}
        assert all(entry["cites"] and cited >= set(entry["cites"]) for entry in shown), here
        assert all(a.cites and cited >= set(a.cites) for a in result.actions), here
        phase = str(result.data["phase"])
        if not phase.startswith("sale"):
            assert not {a.task for a in result.actions} & pay, here
            assert all(a.id != "sale-balance" for a in result.actions), here
        if phase == "review":
            tasks = {s.id: s for s in catalog.strategies()}
            assert {tasks[a.id].scene for a in result.actions} & {"售后", "复盘"}, here
            assert all(a.stop_rule is None or "付款" not in a.stop_rule for a in result.actions), here


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize(
    "at",
    [datetime(2025, 9, 10, 9), datetime(2025, 10, 26, 9), datetime(2025, 11, 6, 9), datetime(2025, 11, 11, 15),
     datetime(2025, 11, 20, 9), datetime(2026, 5, 27, 9), datetime(2026, 6, 14, 9)],
)  # fmt: skip
def test_a_day_in_words_is_traced_to_the_last_numeral(demo: WarRoom, at: datetime, lang: str) -> None:
    from bot import grounding
    from tests.briefings import answered

    reply = answered(plan(demo.context(at, lang), None, limit=None), lang)
    assert grounding.problems(reply, "") == []
    assert ("在用的打法：" if lang == "zh" else "Methods in force:") in reply.text


def test_double_11_has_its_own_list(demo: WarRoom) -> None:
    result = plan(demo.context(datetime(2025, 11, 11, 10), "zh"), None, limit=None)
    assert result.data["assumed"] == []
    by_id = {a.id: a for a in result.actions}
    assert by_id["old11-afternoon-push"].when == "2025-11-11 14:00"
    assert {"old11-pay-reminder", "old11-dsr-warning"} <= set(by_id)
    assert not any(i.startswith(("promo-", "member-", "group-", "service-")) for i in by_id)


def test_nobody_who_bought_in_this_wave_is_led_to_buy(demo: WarRoom) -> None:
    """Hand-written, over every audience of the peak day that is about buying."""
    at = datetime(2025, 11, 11, 15)
    ctx = demo.context(at, "zh")
    buyers = f"SELECT user_id FROM orders WHERE paid_at >= '2025-11-04' AND paid_at <= '{at}'"
    about_buying = {s.id for s in catalog.strategies() if s.pay or s.metric in ("repurchase_rate", "conversion_rate")}
    checked = 0
    for action in plan(ctx, None, limit=None).actions:
        if action.task not in about_buying or "cart_unpaid" in (action.crowd or "") or action.crowd == "last_push":
            continue  # of those, who paid since the first cart is out: tested above
        shape = ("audience", action.crowd)
        sql = demo.engine.statement(shape, lambda e, c=action.crowd: audience.expression(demo.engine, c, e), ctx.scope)  # type: ignore[misc]
        rows = demo.engine.query(f"SELECT count(*) AS n FROM ({sql}) AS a WHERE user_id IN ({buyers})")
        assert rows[0]["n"] == 0, action.id
        checked += 1
    assert checked >= 4


def test_what_needs_time_says_by_when_and_when_it_is_late(demo: WarRoom) -> None:
    """service-sale2-unbought-recall begins on 06-16 and takes 2 days; the lists for 06-01 take 5."""

    def line(at: datetime, task: str, lang: str = "zh") -> dict[str, object] | None:
        prepare = plan(demo.context(at, lang), None, limit=None).data["prepare"]
        return next((p for p in prepare if p["task"] == task), None)

    recall = "service-sale2-unbought-recall"
    assert line(datetime(2026, 6, 13, 9), recall) is None
    on_time = line(datetime(2026, 6, 14, 9), recall)
    assert on_time is not None
    assert (on_time["text"], on_time["late"]) == ("下行【未购召回】消息：6 月 16 日前备好，今天开始", False)
    late = line(datetime(2026, 6, 15, 9), recall)
    assert late is not None
    assert late["text"] == "下行【未购召回】消息：6 月 16 日前备好，6 月 14 日就该开始，只剩 1 天，没动手的今天补上"
    english = line(datetime(2026, 5, 28, 9), "service-sale1-member-day-coupons", "en")
    assert english is not None
    assert "ready by Jun 1; due to begin on May 27, 4 days left" in str(english["text"])


@pytest.mark.parametrize("text", ["6月20日加购未付款的人做什么", "What should I do on 2026-06-20 for un-paid carters?"])
def test_another_day_is_planned_with_what_is_known_now(demo: WarRoom, text: str) -> None:
    reply = answer(demo, Question(text, as_of=datetime(2026, 6, 17, 10)))
    assert ("第 5 天" if reply.lang == "zh" else "day 5 of 5") in reply.text, "the day asked about"
    assert ("2026 年 6 月 20 日" if reply.lang == "zh" else "Jun 20, 2026") in reply.text
    assert ("先补数据" if reply.lang == "zh" else "Import fresh data first") in reply.text
    sends = [line for line in reply.text.splitlines() if line[:2] in ("1.", "2.", "3.")]
    assert sends
    assert all(("今天" if reply.lang == "zh" else "today") in line for line in sends), "today is the day planned"
    assert {f.as_of[:10] for f in reply.facts} == {"2026-06-20"}
    assert reply.degraded is None


def test_the_balance_reminder_cites_what_is_about_balances(demo: WarRoom) -> None:
    result = plan(demo.context(PHASES["sale1"], "zh"))
    assert result.actions[0].id == "sale-balance"
    cited = next(c for c in result.citations if c.id == result.actions[0].cites[0])
    assert "尾款" in cited.quote


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_pay_reminders_are_refused_on_old_data_and_nothing_vanishes(demo: WarRoom, lang: str) -> None:
    """The demo's data ends on 06-17: whom to remind on 06-20 cannot be told, and nobody is at the last step in it."""
    ctx = demo.context(datetime(2026, 6, 20, 12), lang)
    result = plan(ctx, None, limit=None)
    by_id = {a.id: a for a in result.actions}
    for key in ("promo-sale2-last-push", "promo-sale2-cart-fav-unpaid"):
        action = by_id[key]
        assert action.people is None
        assert action.why == []
        assert ("算不出人数，先导数据" if lang == "zh" else "cannot be counted") in action.title
    assert by_id["member-sale2-challenge-reminder"].people, "a task that reminds nobody to pay is counted"
    assert ctx.say("plan.stale") in result.data["notes"]
    assert ctx.say("plan.stale") not in plan(demo.context(PHASES["sale2"], lang), None, limit=None).data["notes"]


def test_a_balance_reminder_on_old_data_names_no_number(demo: WarRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.tasks.any_stale", lambda ctx: True)
    balance = plan(demo.context(PHASES["sale1"], "zh")).actions[0]
    assert (balance.id, balance.people, balance.why) == ("sale-balance", None, [])
    assert balance.title == "提醒付尾款 · 付定金未付尾款（算不出人数，先导数据）"


@pytest.mark.parametrize("at", [datetime(2025, 6, 10, 10), PHASES["preheat1"], PHASES["pool"]])
def test_nobody_leaves_on_paying_before_anything_can_be_paid(demo: WarRoom, at: datetime) -> None:
    rules = {a.id: a.stop_rule for a in plan(demo.context(at, "zh"), None, limit=None).actions}
    assert "有回应即移出" in rules.values()
    assert "付款即移出" not in rules.values()


def test_work_on_the_shop_has_no_audience_and_no_stop_rule(demo: WarRoom) -> None:
    seen = set()
    for at in (PHASES["presale"], PHASES["sale2"], PHASES["pool"]):
        for a in plan(demo.context(at, "zh"), None, limit=None).actions:
            if a.id in (
                "group-all-layered-groups", "group-presale-payment-page-switch", "group-pool-redpacket-signup",
                "group-pool-join-widget", "service-sale2-ranking-reward",
            ):  # fmt: skip
                seen.add(a.id)
                assert (a.crowd, a.people, a.stop_rule, a.why) == (None, None, None, []), a.id
                assert "人" not in a.title, a.id
    assert len(seen) == 5


@pytest.mark.parametrize(
    ("year", "title"), [(2025, "6.9会员日活动通知"), (2026, "6.9会员日活动通知"), (2021, "6.9周三会员日活动通知")]
)
def test_a_weekday_that_does_not_fit_the_year_is_left_out(year: int, title: str) -> None:
    strategy = next(s for s in catalog.strategies() if s.id == "member-preheat2-member-day-0609")
    assert shown_title(Task(strategy, date(year, 6, 9), date(year, 6, 9)), "zh") == title


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_each_task_says_what_is_done(demo: WarRoom, lang: str) -> None:
    question = "今天要做什么" if lang == "zh" else "What should I do today?"
    reply = answer(demo, Question(question, as_of=PHASES["sale2"]))
    said = {s.id: first_sentence(s.what.get(lang)) for s in catalog.strategies()}
    assert len(reply.actions) > 2
    assert all(f"   {said[a.id]}\n" in reply.text for a in reply.actions)
    assert reply.degraded is None


@pytest.mark.parametrize("crowd", [None, "cart_unpaid"])
def test_todays_member_day_is_said(demo: WarRoom, crowd: str | None) -> None:
    notes = plan(demo.context(datetime(2026, 6, 2, 11), "zh"), crowd).data["notes"]
    assert notes[0] == "今天是会员日。"
    assert "今天是会员日。" not in plan(demo.context(datetime(2026, 6, 3, 11), "zh"), crowd).data["notes"]


@pytest.mark.parametrize("channel", ["sms", "group", "exclusive_service", "push"])
def test_a_plan_of_one_channel_is_that_channels_part_of_the_whole(demo: WarRoom, channel: str) -> None:
    ctx = demo.context(datetime(2026, 6, 17, 10), "zh")
    whole = [a.task for a in plan(ctx, limit=None).actions if a.task]
    only = plan(demo.context(datetime(2026, 6, 17, 10), "zh"), limit=None, channel=channel)
    listed = {s.id for s in catalog.strategies() if channel in s.channels}
    assert [a.task for a in only.actions] == [t for t in whole if t in listed]


def test_an_unknown_channel_is_refused(demo: WarRoom) -> None:
    with pytest.raises(AskAgain):
        plan(demo.context(datetime(2026, 6, 17, 10), "zh"), channel="pigeon")


@pytest.mark.parametrize("crowd", [None, "cart_unpaid"])
def test_a_plan_without_a_channel_names_it_nowhere(demo: WarRoom, crowd: str | None) -> None:
    ctx = demo.context(datetime(2026, 6, 17, 10), "zh")
    actions = plan(ctx, crowd, limit=None, channel="not sms").actions
    assert actions
    assert not any("sms" in a.channels for a in actions)
