"""What a question leaves open and its answer needs: which days, whose numbers, which of them, against what."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta

import prompts
from bot.answer import Interpretation
from bot.understanding.comparing import Compared, against_days
from bot.understanding.dates import Period, as_days, days_asked
from bot.understanding.lexicon import words
from bot.understanding.people import is_panel
from bot.understanding.slots import Slots
from tools.campaigns import Campaign, campaign_for
from tools.metrics import splittable

OVERVIEW = ["visitors", "carters", "buyers", "paid_amount"]
_OF_BALANCE = ("deposit_balance_rate", "balance_buyers", "presale_paid_amount")
_SIZE = re.compile(
    r"(?:会员|粉丝|新客|老客|客户|用户|人)(?:总|人)?数(?!据|字)|\bnumber of (?:members|fans|customers|people)\b", re.A
)
_PRESALE = re.compile(r"预售期?|pre.?sale")
_DAY_SAID = re.compile(r"\d ?[月号日./-]|\b(?:may|june?|oct|nov)", re.A)


def complete(
    out: Interpretation,
    slots: Slots,
    now: datetime,
    campaigns: tuple[Campaign, ...],
    lang: str,
    named: Campaign | None = None,
) -> Interpretation:
    """Defaults that the intent needs, and where in which campaign the moment is."""
    today = now.date()
    update: dict[str, object] = {}
    if out.intent == "metric":
        if not [m for m in out.metrics if m != "crowd_size"] and not slots.has("ambiguous_metric"):
            of_people = out.by and (out.crowds or out.filters or "crowd" in slots.intents)
            sized = out.metrics or ("crowd" in slots.intents and (out.crowds or out.filters))
            compared = bool(out.compare) and any(not is_panel(c) for c in out.crowds)  # 加购没付的比昨天多还是少
            of_people = of_people or compared or bool(_SIZE.search(slots.text))
            of_people = of_people or (sized and "overview" not in slots.intents)  # 会员有多少
            alone = "paid_amount" if out.compare == "target" else "crowd_size" if of_people else None
            update["metrics"] = [alone] if alone else [m for m in OVERVIEW if not out.by or splittable(m, out.by)]
        if not out.crowds and not out.filters:
            update["crowds"] = ["all"]
        if out.period is None or _of_presale_people(out, slots, campaign_for(today, campaigns), today):
            update |= _default_period(out, today, campaigns, lang)
        shows_overview = update.get("metrics") == OVERVIEW
        if (
            shows_overview
            and not out.compare
            and not out.by
            and (out.period is None or out.period["from"] == out.period["to"])
        ):
            update["compare"] = "previous_day"
    elif out.intent == "crowd":
        update["metrics"] = ["crowd_size"]
        if not out.crowds and not out.filters and not slots.has("ambiguous_crowd"):
            update["crowds"] = ["all"]
    elif out.intent == "target" and not [m for m in out.metrics if m != "crowd_size"]:
        update["metrics"] = ["paid_amount"]  # the target of a promotion, without a word more, is that of its sales
    elif out.intent == "plan" and out.period is None:
        update["period"] = as_days(today, today)
    here = campaign_for(today, campaigns)
    if named is not None and named is not here:
        update["campaign"] = named.key
    elif here is not None and here.first <= today <= here.last:
        phase = here.phase_at(today)
        update["campaign"] = here.key
        update["phase"] = phase.key if phase else None
    return out.model_copy(update=update)


def relative_compare(out: Interpretation, slots: Slots, compared: Compared | None, today: date) -> Interpretation:
    """和前天比 beside yesterday is the day before it, 和上上周比 beside last week the period before it; what is not computed
    is said."""
    word = slots.first("compare")
    if word not in ("day_before", "week_before", "week_over_week", "unsupported"):
        return out
    first, last = days_asked(out.period) if out.period else (None, None)
    asked = Period(first, last, ()) if first and last else None
    kind, days = None, asked
    if compared is not None and compared.other is not None:
        kind, days = against_days(compared, asked, today)
    elif word == "week_over_week":
        days = asked or Period(today, today, ())
        kind = f"from:{days.first - timedelta(days=7)}"
    elif asked and word == "day_before" and asked.first == asked.last == today - timedelta(days=1):
        kind = "previous_day"
    elif asked and word == "week_before" and (asked.last - asked.first).days == 6 and asked.last < today:
        kind = "previous_window"
    said = compared.said if compared else slots.match("compare").text
    period = as_days(days.first, days.last) if days else None
    unused = out.unused if kind else list(dict.fromkeys([said, *out.unused]))
    return out.model_copy(update={"compare": kind, "period": period, "unused": unused})


def _default_period(out: Interpretation, today: date, campaigns: tuple[Campaign, ...], lang: str) -> dict[str, object]:
    """Today; the last seven days for a trend; the campaign so far beside the peers, whose figures cover a campaign."""
    first = today
    assumed = list(out.assumed)
    here = campaign_for(today, campaigns)
    presale = _presale(here, today) if out.metrics and all(m.startswith("deposit_") for m in out.metrics) else None
    balance = _until_balance(here, today) if here is not None and _of_balance(out) else None
    if balance is not None:  # no balance can be paid in the presale itself
        return {"period": balance, "assumed": [*assumed, prompts.text("asked.balance_days", lang)]}
    if presale is not None:  # deposits are paid in the presale alone
        unused = [w for w in out.unused if not _PRESALE.fullmatch(w)]
        return {"period": presale, "assumed": [*assumed, prompts.text("asked.presale_days", lang)], "unused": unused}
    if out.by == "day":
        first = today - timedelta(days=6)
    elif out.compare == "peers" and here is not None:
        first = here.first
        assumed.append(prompts.text("when.peers", lang))
    elif out.compare == "previous_day":
        pass  # a day against the day before it
    elif here is not None and here.first < today <= here.last and set(out.metrics) & set(words().whole_campaign):
        first = here.first
        assumed.append(prompts.text("when.campaign_so_far", lang))
    return {"period": as_days(first, today), "assumed": assumed}


def _presale(here: Campaign | None, today: date) -> dict[str, str] | None:
    """The days of the latest presale that has begun, up to today."""
    begun = [p for p in here.phases if p.kind == "presale" and p.first <= today] if here else []
    return as_days(begun[-1].first, min(begun[-1].last, today)) if begun else None


def _of_balance(out: Interpretation) -> bool:
    """Whether balances are counted, alone or beside the deposits."""
    counted = set(out.metrics) - {"deposit_buyers"}
    return bool(counted) and counted <= set(_OF_BALANCE) and out.compare != "previous_day"


def _of_presale_people(out: Interpretation, slots: Slots, here: Campaign | None, today: date) -> bool:
    """预售的人最后付尾款的占多少: the presale says whose balances are meant, not when they were paid."""
    said = "预售" in slots.text or "presale" in slots.text or "pre-sale" in slots.text
    return said and not _DAY_SAID.search(slots.text) and _of_balance(out) and out.period == _presale(here, today)


def _until_balance(here: Campaign, today: date) -> dict[str, str] | None:
    """From the beginning of the latest presale that has begun to the end of the balance window behind it, up to today."""
    begun = _presale(here, today)
    if begun is None:
        return None
    ends = [last for first, last in here.balance_windows if first.isoformat() > begun["from"]]
    return begun | {"to": min([today, *ends[:1]]).isoformat()}
