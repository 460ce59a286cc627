"""A plan fitted to what can be planned: which day, which channels; what is asked of another phase is for the playbooks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta

from bot.answer import Interpretation
from bot.understanding.dates import as_days, days_asked
from bot.understanding.drafting import DENIED
from bot.understanding.slots import Slots
from bot.understanding.stretches import BARE_DAY
from tools.campaigns import Campaign

_DONE = re.compile(r"[做发推写]了|过[吗的]|\bdid\b", re.A)  # a plan of a day that is over
_NOW = re.compile(r"今天|今日|现在|目前|\btoday\b|\bnow\b", re.A)
_DAY_WORD = re.compile(r"昨天|昨日|昨晚|前天|前日|\byesterday\b", re.A)
_WRITTEN = re.compile(r"写|拟|文案|话术|措辞|[一两三几]条|\b(?:write|draft|copy|script|wording|compose)\b", re.A)
_OTHERS = re.compile(r"其他|其它|别的|换个?渠道|\bother\b|\belse\b", re.A)


def without_channel(out: Interpretation, slots: Slots) -> Interpretation:
    """今天不要发短信了，其他渠道安排一下: the plan of all channels but that one, unless a text is asked for."""
    wanted = out.intent == "plan" or (out.intent == "draft" and not _WRITTEN.search(slots.text))
    if not wanted or out.channel is None or out.channel.startswith("not "):
        return out
    said = [m for m in slots.matches if m.value("channel") == out.channel]
    if not any(DENIED.search(slots.text[: m.start]) for m in said):
        return out
    return out.model_copy(
        update={
            "intent": "plan",
            "channel": f"not {out.channel}",
            "unused": [w for w in out.unused if not _OTHERS.search(w)],
        }
    )


def plan_of_today(out: Interpretation, text: str, today: date) -> Interpretation:
    """昨天加购今天还没付的怎么催: what is to be done is done today; the day before says something of the people, and is told."""
    if out.intent != "plan" or out.period is None or out.period["to"] >= today.isoformat() or not _NOW.search(text):
        return out
    said = [m[0] for m in _DAY_WORD.finditer(text)]
    now = as_days(today, today)
    unused = [w for w in out.unused if not _NOW.fullmatch(w)]
    return out.model_copy(update={"period": now, "unused": list(dict.fromkeys([*said, *unused]))})


def plan_of_a_day(out: Interpretation, today: date) -> Interpretation:
    """Actions are planned for a day; about a whole other phase the playbooks answer."""
    if out.intent != "plan" or out.period is None:
        return out
    first, last = days_asked(out.period)
    if first <= today <= last or first == last:
        return out
    return out.model_copy(update={"intent": "knowledge"})


def day_to_come(
    out: Interpretation, text: str, days: Sequence[tuple[int, int]], today: date, here: Campaign | None
) -> Interpretation:
    """A day of the month that a plan is asked for is the next one, as far as the campaign runs: 20号准备什么 on the 17th."""
    if out.intent != "plan" or out.period is None or here is None or _DONE.search(text):
        return out
    first = date.fromisoformat(out.period["from"])
    bare = any(BARE_DAY.match(text, a) and not re.search(r"月|[a-z]{4}", text[a:b]) for a, b in days)
    if not bare or first >= today or out.period["to"] != out.period["from"]:
        return out
    ahead = next((d for n in range(1, 32) if (d := today + timedelta(days=n)).day == first.day), None)
    if ahead is None or not here.first <= ahead <= here.last:
        return out
    return out.model_copy(update={"period": as_days(ahead, ahead)})


def elsewhen(slots: Slots, here: Campaign | None, named: Campaign | None, today: date) -> list[str]:
    """The words for another campaign or phase than the present one."""
    phase = here.phase_at(today) if here else None
    campaign = here.key if here is not None and named in (None, here) else None
    return [
        m.text
        for m in slots.matches
        if m.value("campaign") not in (None, campaign) or m.value("phase") not in (None, phase.key if phase else None)
    ]
