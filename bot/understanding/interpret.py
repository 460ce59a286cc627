"""Question + conversation → Interpretation. Deterministic: words from the catalogue, a period grammar, intent by evidence."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import prompts
from bot.answer import Clarify, Intent, Interpretation
from bot.understanding.conditions import Condition, Doubt, find_conditions
from bot.understanding.dates import LAST_YEAR, Period, find_period
from bot.understanding.drafting import DraftWish, completed, read_wish, text_to_check, wants_draft
from bot.understanding.lexicon import Lexicon, Match, fold, words
from bot.understanding.slots import Slots, settled
from knowledge import catalog
from tools.campaigns import Campaign, campaign_for, earlier_same
from tools.metrics import splittable

MAX_LENGTH = 1000
_CJK = re.compile(r"[\u4e00-\u9fff]")
_WORDS = re.compile(r"[\u4e00-\u9fffa-z0-9.%']+")
# Intents by strength of their words when several are there: a wish to write or check outranks a question about numbers.
_ASKS = re.compile(r"怎么|怎样|如何|吗|呢|多少|几|啥|什么|哪|谁|how|what|when|where|why|who|can ")
_CHANGES = re.compile(
    r"(?:怎么|如何|怎样|在哪)(?:修改|更改|改|换|填)|how (?:do|can) \w+ change"
)  # a how-to, not a list of people
_ORDER: tuple[Intent, ...] = ("help", "check", "draft", "brief", "review", "target", "phase", "plan")
# A statement in SQL or markup is no question to a colleague; nothing in it is looked up.
_CODE = re.compile(
    r"\b(?:select|insert|update|delete|drop|alter|union)\b.*\b(?:from|into|table|set)\b|<\s*/?\s*[a-z!]", re.DOTALL
)
# Slots whose words may hold a word of time that is no period (和昨天比, 历史预售).
_NAMES = ("crowd", "metric", "compare", "by", "ambiguous_crowd", "ambiguous_metric")
_THEM = re.compile(r"他们|她们|这些人|这批人|这群人|\bthem\b|\bthey\b|\bthese people\b")
_DEFINITION = (
    "原则", "遵循", "圈选", "是什么", "什么是", "什么意思", "啥意思", "怎么算", "定义", "口径", "公式",
    "definition", "define", "meaning of", "what does", "formula", "computed", "calculated",
)  # fmt: skip
_OVERVIEW = ["visitors", "carters", "buyers", "paid_amount"]
_SENT = re.compile(r"触达|短信|消息|\bmessag|\boutreach\b|\btexts\b")
_TOUCHES = ["touch_sent", "touch_delivery_rate", "touch_click_rate", "touch_conversion_rate", "touch_roi"]


@dataclass(frozen=True)
class Understood:
    """`clarify` is set when two readings give different answers; nothing is computed then. `draft`: how a draft is to be."""

    interpretation: Interpretation
    clarify: Clarify | None = None
    draft: DraftWish | None = None


def language(text: str) -> str:
    """zh when the question has Chinese characters or no letters at all, else en; a text to be checked is not its own."""
    checked = text_to_check(text)
    text = checked[0] if checked else text
    return "en" if re.search(r"[A-Za-z]", text) and not _CJK.search(text) else "zh"


def interpret(
    question: str,
    previous: Interpretation | None,
    *,
    lexicon: Lexicon,
    now: datetime,
    campaigns: tuple[Campaign, ...],
    lang: str,
    drafted: DraftWish | None = None,
) -> Understood:
    """What `question` asks, given what was understood before it in the same session. `drafted`: the last draft's wish."""
    checked = text_to_check(question)
    if checked is not None:
        about = Slots(lexicon.find(fold(checked[0])), fold(checked[0]))
        judged = Interpretation(intent="check", channel=about.first("channel"))
        return Understood(_complete(judged, about, now, campaigns, lang))
    text = fold(question)[:MAX_LENGTH]
    if _CODE.search(text):
        return Understood(_complete(Interpretation(intent="unsupported"), Slots([], ""), now, campaigns, lang))
    conditions, doubt = find_conditions(text, lexicon, now, campaigns, reply=previous is not None)
    text = _masked(text, [c.span for c in conditions] + ([doubt.span] if doubt else []), " ")
    found = lexicon.find(text)
    wish = None
    if wants_draft(text, found, previous):
        wish, text = read_wish(question, text, found)
        found = lexicon.find(text)
    named, missing = _named_campaign(found, text, now, campaigns)
    names = [(m.start, m.end) for m in found if _names_something(m)]
    period = find_period(_masked(text, names), now, campaigns, named)
    slots = Slots(settled(lexicon.find(text, period.spans if period else ()), period is not None), text)
    if period is None and slots.has("phase"):
        period = _of_phase(slots.first("phase") or "", named or campaign_for(now.date(), campaigns), now)

    clarify = _clarify(slots, doubt, lang)
    compare, unsupported = _comparison(slots, now, campaigns)
    filled = Interpretation(
        intent="unsupported",
        crowds=slots.crowds,
        metrics=slots.metrics,
        period={"from": period.first.isoformat(), "to": period.last.isoformat()} if period else None,
        channel=slots.channel,
        compare=compare,
        by=slots.first("by"),
        filters=[*slots.filters, *dict.fromkeys(c.filter for c in conditions)],
        assumed=[*([prompts.text("when.no_campaign", lang)] if missing else []), *_touched(conditions, lang)],
        unused=[*unsupported, *_unused(text, slots.matches, period.spans if period else ())],
    )
    out = filled.model_copy(update={"intent": _intent(slots, filled, text)})
    if doubt is not None and out.intent == "knowledge":
        out = out.model_copy(update={"intent": "crowd"})  # people were asked about; which, the answer will tell
    if wish is not None and not {"draft", "privacy", "elsewhere"} & set(slots.intents):
        out = out.model_copy(update={"intent": "draft"})  # 再短一点, 换成群文案: a change of the last draft
    if clarify is None and previous is not None and _follows_up(slots, out, text):
        out = _inherit(out, previous, slots)
    out = _of_channel(out, slots)
    out = _relative_compare(out, slots, now.date())
    out = _plan_of_a_day(out, now.date())
    here = campaign_for(now.date(), campaigns)
    if out.intent == "plan" and named is not None and named is not here:
        out = out.model_copy(update={"intent": "knowledge"})  # today's actions are those of the campaign we are in
    if out.intent == "draft":
        people = bool(slots.crowds or slots.filters or slots.has("ambiguous_crowd"))
        out, wish = completed(out, wish, previous, drafted, named=people, now=now, campaigns=campaigns, lang=lang)
        return Understood(_complete(out, slots, now, campaigns, lang, named), clarify, wish)
    return Understood(_complete(out, slots, now, campaigns, lang, named), clarify)


def _plan_of_a_day(out: Interpretation, today: date) -> Interpretation:
    """Actions are planned for a day; about a whole other phase the playbooks answer."""
    if out.intent != "plan" or out.period is None:
        return out
    first, last = (date.fromisoformat(out.period[k]) for k in ("from", "to"))
    if first <= today <= last or first == last:
        return out
    return out.model_copy(update={"intent": "knowledge"})


def _named_campaign(
    matches: Sequence[Match], text: str, now: datetime, campaigns: tuple[Campaign, ...]
) -> tuple[Campaign | None, bool]:
    """(the dated campaign that the question names, whether it names one that the shop does not have).

    A year given wins (2025年618, 去年双11); else the instance that today is in, the latest that began, the next one. Named only
    to compare with, it is no subject.
    """
    key = next((v for m in matches if (v := m.value("campaign")) and not m.value("compare")), None)
    if key is None:
        return None, False
    mine = [c for c in campaigns if c.key == key]
    year = next((int(y) for y in re.findall(r"(?<!\d)20\d\d(?!\d)", text)), None)
    if year is None and LAST_YEAR.search(text):
        year = now.year - 1
    if year is not None:
        dated = next((c for c in mine if c.year == year), None)
        return dated, dated is None
    begun = [c for c in mine if c.first <= now.date()]
    return (begun[-1] if begun else mine[0] if mine else None), not mine


def _of_phase(key: str, campaign: Campaign | None, now: datetime) -> Period | None:
    phase = next((p for p in campaign.phases if p.key == key), None) if campaign else None
    if phase is None:
        return None
    last = min(phase.last, now.date()) if phase.first <= now.date() else phase.last
    return Period(phase.first, last, ())


def _names_something(match: Match) -> bool:
    return any(slot in _NAMES for slot, _ in match.meanings)


def _masked(text: str, spans: Iterable[tuple[int, int]], mask: str = "\0") -> str:
    """Names hold words such as 昨天 or 预售 that are no period; they are blanked out, places kept."""
    out = list(text)
    for start, end in spans:
        out[start:end] = mask * (end - start)
    return "".join(out)


def _touched(conditions: Sequence[Condition], lang: str) -> list[str]:
    """What being in touch with an item means, where the question says more (买过面霜)."""
    return [prompts.text("filter.near", lang, said=c.near) for c in conditions if c.near]


def _of_channel(out: Interpretation, slots: Slots) -> Interpretation:
    """Messages are counted by channel where one is named (短信的点击率); other numbers know of no channel that was named."""
    nothing_named = not out.metrics and not slots.has("ambiguous_metric")
    if out.intent == "metric" and nothing_named and (out.channel or (out.by == "channel" and _SENT.search(slots.text))):
        out = out.model_copy(update={"metrics": _TOUCHES})  # 短信效果怎么样, 各渠道触达效果
    if out.intent not in ("metric", "crowd") or out.channel is None:
        return out
    if out.intent == "metric" and _of_touches(out.metrics) and out.by in (None, "channel"):
        return out.model_copy(update={"by": "channel"})
    said = [m.text for m in slots.matches if m.value("channel")]
    return out.model_copy(update={"channel": None, "unused": list(dict.fromkeys([*said, *out.unused]))})


def _of_touches(metrics: Sequence[str]) -> bool:
    return bool(metrics) and all(m.startswith("touch_") for m in metrics)


def _intent(slots: Slots, filled: Interpretation, text: str) -> Intent:
    named = set(slots.intents)
    if named & {"privacy", "elsewhere"} and not ("privacy" in named and _CHANGES.search(text)):
        return "unsupported"
    if any(w in text for w in _DEFINITION) and "phase" not in named:
        return "knowledge"
    for intent in _ORDER:
        if intent in named:
            if intent == "phase" and filled.metrics:
                continue
            if intent == "plan" and filled.metrics and not filled.crowds and ("metric" in named or filled.compare):
                continue
            if intent == "plan" and not filled.crowds and not filled.period and filled.unused:
                return "knowledge"  # 群里没人说话怎么办: what is to be done about something that only a playbook knows
            return intent
    real = [m for m in filled.metrics if m != "crowd_size"]
    if "knowledge" in named and not filled.period and not filled.compare and not filled.by:
        asks_number = "metric" in named and real
        if not asks_number:
            return "knowledge"
    if real or slots.has("ambiguous_metric"):
        return "metric"
    if filled.crowds and filled.compare and "crowd" not in named:
        return "metric"
    if filled.by and (filled.crowds or filled.filters or slots.has("ambiguous_crowd") or "crowd" in named):
        return "metric"  # 各城市会员有多少, 生命周期分布
    if filled.crowds or filled.filters or slots.has("ambiguous_crowd"):
        if filled.unused and not filled.crowds and not slots.has("ambiguous_crowd") and filled.filters == slots.filters:
            return "knowledge"  # 今天杭州天气怎么样: a place alone is no subject
        return "metric" if "overview" in named and (filled.period or filled.compare) else "crowd"
    if ("overview" in named and not filled.unused) or (filled.compare and not real):
        return "metric"
    if filled.by and not filled.unused and not named & {"knowledge", "smalltalk"}:
        return "metric"  # 哪款卖得动, what time of day is busiest
    if "smalltalk" in named and len(text) <= 20 and not (filled.unused and _ASKS.search(text)):
        return "smalltalk"
    if filled.metrics:
        return "crowd"
    return "knowledge" if named & {"knowledge"} or _WORDS.search(text) else "unsupported"


def _clarify(slots: Slots, doubt: Doubt | None, lang: str) -> Clarify | None:
    """A word that names several metrics, crowds or items is asked back, unless a clear name stands beside it."""
    if doubt is not None:
        question = prompts.text("answer.clarify_item", lang, word=doubt.word)
        return Clarify(question=question, options=list(doubt.titles))
    if slots.has("ambiguous_metric") and not slots.metrics:
        match = slots.match("ambiguous_metric")
        keys = (match.value("ambiguous_metric") or "").split(",")
        options = [
            prompts.text(
                "answer.clarify_option",
                lang,
                name=_plain_name(key, lang),
                meaning=catalog.metrics()[key].meaning.model_dump()[lang],
            )
            for key in keys
        ]
        return Clarify(question=prompts.text("answer.clarify_metric", lang, word=match.text), options=options)
    if slots.has("ambiguous_crowd") and not slots.crowds:
        match = slots.match("ambiguous_crowd")
        keys = (match.value("ambiguous_crowd") or "").split(",")
        options = [catalog.crowds()[key].name.get(lang) for key in keys]
        return Clarify(question=prompts.text("answer.clarify_crowd", lang, word=match.text), options=options)
    return None


def _plain_name(key: str, lang: str) -> str:
    """A name that is not itself the ambiguous word: its first alias where the name is."""
    metric = catalog.metrics()[key]
    name = metric.name.get(lang)
    if name.lower() not in catalog.ambiguous_metrics():
        return name
    same_language = [a for a in metric.aliases if bool(_CJK.search(a)) == (lang == "zh")]
    return same_language[0] if same_language else name


def _comparison(slots: Slots, now: datetime, campaigns: tuple[Campaign, ...]) -> tuple[str | None, list[str]]:
    """(the comparison asked for, words of comparisons that are not computed)."""
    value = slots.first("compare")
    if value in ("unsupported", "day_before", "week_before"):
        return None, [slots.match("compare").text]
    if value != "earlier_campaign":
        return value, []
    here = campaign_for(now.date(), campaigns)
    earlier = earlier_same(here, campaigns) if here else None
    return (f"campaign:{earlier.key}:{earlier.year}", []) if earlier else (None, [slots.match("compare").text])


def _follows_up(slots: Slots, new: Interpretation, text: str) -> bool:
    """Whether a question leans on the one before it: it says so, or it names only a part of a question."""
    negation = any(m.value("crowd") and slots.negated(m) for m in slots.matches)
    if slots.has("followup") or (slots.has("correction") and not negation):
        return True
    wish = [i for i in slots.intents if i not in ("crowd", "metric")]
    if wish:
        # "他们今天怎么做": the wish is new, the people are those of the last question.
        return "plan" in wish and not new.crowds and bool(_THEM.search(text))
    if "crowd" in slots.intents:
        return not new.crowds and len(text) <= 12  # 一共多少人来着
    subjects = bool(new.crowds) + bool(new.metrics)
    aspects = bool(new.period) + bool(new.compare) + bool(new.by) + bool(new.filters)
    # "加购人数", "昨天呢", "按城市看昨天": a subject alone, or aspects of a subject said before.
    return len(text) <= 40 and (subjects + aspects == 1 or (aspects > 0 and not subjects))


def _inherit(new: Interpretation, old: Interpretation, slots: Slots) -> Interpretation:
    """What the new question leaves open is taken from the old one; naming another kind of thing changes the intent."""
    wish = [i for i in slots.intents if i not in ("overview", "crowd", "metric", "knowledge")]
    intent = new.intent if wish else old.intent
    real = [m for m in new.metrics if m != "crowd_size"]
    if "crowd" in slots.intents and not real:
        intent = "crowd"
    if real and intent not in ("metric",):
        intent = "metric"
    if old.intent in ("knowledge", "unsupported", "help", "smalltalk") and not wish:
        intent = new.intent
    if intent == "crowd" and (new.compare or new.by):
        intent = "metric"
    metrics = new.metrics if real or (new.metrics and intent == "metric") else old.metrics
    return new.model_copy(
        update={
            "intent": intent,
            "crowds": new.crowds or old.crowds,
            "metrics": metrics if intent in ("metric", "crowd") else [],
            "period": new.period or old.period if intent in ("metric", "crowd") else new.period,
            "compare": new.compare or old.compare if intent == "metric" else None,
            "by": new.by or (old.by if intent == "metric" and not new.compare else None),
            "channel": new.channel or old.channel,
            "filters": new.filters or (old.filters if not new.crowds else []),
        }
    )


def _complete(
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
            alone = "paid_amount" if out.compare == "target" else "crowd_size" if of_people else None
            update["metrics"] = [alone] if alone else [m for m in _OVERVIEW if not out.by or splittable(m, out.by)]
        if not out.crowds and not out.filters:
            update["crowds"] = ["all"]
        if out.period is None:
            update |= _default_period(out, today, campaigns, lang)
        shows_overview = update.get("metrics") == _OVERVIEW
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
    elif out.intent == "plan" and out.period is None:
        update["period"] = {"from": today.isoformat(), "to": today.isoformat()}
    here = campaign_for(today, campaigns)
    if named is not None and named is not here:
        update["campaign"] = named.key
    elif here is not None and here.first <= today <= here.last:
        phase = here.phase_at(today)
        update["campaign"] = here.key
        update["phase"] = phase.key if phase else None
    return out.model_copy(update=update)


def _relative_compare(out: Interpretation, slots: Slots, today: date) -> Interpretation:
    """和前天比 beside yesterday is the day before it, 和上上周比 beside last week the period before it; else not computed."""
    word = slots.first("compare")
    if word not in ("day_before", "week_before") or out.period is None:
        return out
    first, last = (date.fromisoformat(out.period[k]) for k in ("from", "to"))
    days = (last - first).days + 1
    fits = last == today - timedelta(days=1) and days == 1 if word == "day_before" else days == 7 and last < today
    if not fits:
        return out
    unused = [w for w in out.unused if w != slots.match("compare").text]
    return out.model_copy(update={"compare": "previous_day" if days == 1 else "previous_window", "unused": unused})


def _default_period(out: Interpretation, today: date, campaigns: tuple[Campaign, ...], lang: str) -> dict[str, object]:
    """Today; the last seven days for a trend; the campaign so far beside the peers, whose figures cover a campaign."""
    first = today
    assumed = list(out.assumed)
    here = campaign_for(today, campaigns)
    if out.by == "day":
        first = today - timedelta(days=6)
    elif out.compare == "peers" and here is not None:
        first = here.first
        assumed.append(prompts.text("when.peers", lang))
    elif here is not None and here.first < today <= here.last and set(out.metrics) & set(words().whole_campaign):
        first = here.first
        assumed.append(prompts.text("when.campaign_so_far", lang))
    return {"period": {"from": first.isoformat(), "to": today.isoformat()}, "assumed": assumed}


def _unused(text: str, matches: Sequence[Match], spans: Sequence[tuple[int, int]]) -> list[str]:
    """Words that no rule took up: a reader sees at once what was not understood."""
    rest = list(text)
    for start, end in [(m.start, m.end) for m in matches] + list(spans):
        rest[start:end] = " " * (end - start)
    words = _WORDS.findall("".join(rest))
    trimmed = (w.strip(".'") for w in words)
    return [w for w in dict.fromkeys(trimmed) if len(w) > 1 or w.isdigit()]
