"""Question + conversation → Interpretation. Deterministic: words from the catalogue, a period grammar, intent by evidence."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import prompts
from bot.answer import Clarify, Intent, Interpretation
from bot.understanding.dates import find_period
from bot.understanding.lexicon import Lexicon, Match, Slot, fold
from knowledge import catalog
from tools.campaigns import Campaign, campaign_for, earlier_same

MAX_LENGTH = 1000
_CJK = re.compile(r"[\u4e00-\u9fff]")
_WORDS = re.compile(r"[\u4e00-\u9fff]+|[a-z0-9][a-z0-9.%']*")
# Intents by strength of their words when several are there: a wish to write or check outranks a question about numbers.
_ORDER: tuple[Intent, ...] = ("help", "check", "draft", "brief", "review", "target", "phase", "plan")
# A statement in SQL or markup is no question to a colleague; nothing in it is looked up.
_CODE = re.compile(
    r"\b(?:select|insert|update|delete|drop|alter|union)\b.*\b(?:from|into|table|set)\b|<\s*/?\s*[a-z!]", re.DOTALL
)
_THEM = re.compile(r"他们|她们|这些人|这批人|这群人|\bthem\b|\bthey\b|\bthese people\b")
_DEFINITION = (
    "是什么", "什么是", "什么意思", "啥意思", "怎么算", "定义", "口径", "公式",
    "definition", "define", "meaning of", "what does", "formula", "computed", "calculated",
)  # fmt: skip
_OVERVIEW = ["visitors", "carters", "buyers", "paid_amount"]
_UNBUILT: tuple[Intent, ...] = ("draft", "check", "target", "review", "brief")


@dataclass(frozen=True)
class Understood:
    """`clarify` is set when two readings give different answers; nothing is computed then."""

    interpretation: Interpretation
    clarify: Clarify | None = None


def language(text: str) -> str:
    """zh when the question has Chinese characters, else en."""
    return "zh" if _CJK.search(text) else "en"


def interpret(
    question: str,
    previous: Interpretation | None,
    *,
    lexicon: Lexicon,
    now: datetime,
    campaigns: tuple[Campaign, ...],
    lang: str,
) -> Understood:
    """What `question` asks, given what was understood before it in the same session."""
    text = fold(question)[:MAX_LENGTH]
    if _CODE.search(text):
        return Understood(_complete(Interpretation(intent="unsupported"), _Slots([]), now, campaigns))
    found = lexicon.find(text)
    masked = _masked(text, [m for m in found if _names_something(m)])
    period = find_period(masked, now, campaigns)
    matches = lexicon.find(text, period.spans if period else ())
    slots = _Slots(matches)

    clarify = _clarify(slots, previous, lang)
    compare, assumed = _comparison(slots, now, campaigns, lang)
    filled = Interpretation(
        intent="unsupported",
        crowds=slots.crowds,
        metrics=slots.metrics,
        period={"from": period.first.isoformat(), "to": period.last.isoformat()} if period else None,
        channel=slots.first("channel"),
        compare=compare,
        by=slots.first("by"),
        assumed=assumed,
        unused=_unused(text, matches, period.spans if period else ()),
    )
    intent = _intent(slots, filled, text)
    out = filled.model_copy(update={"intent": intent})
    if clarify is None and previous is not None and _follows_up(slots, out, text):
        out = _inherit(out, previous, slots)
    out = _complete(out, slots, now, campaigns)
    return Understood(out, clarify)


class _Slots:
    """The matches of one question by what they mean."""

    def __init__(self, matches: Sequence[Match]) -> None:
        self.matches = matches

    def all(self, slot: Slot) -> list[str]:
        return list(dict.fromkeys(v for m in self.matches if (v := m.value(slot)) is not None))

    def first(self, slot: Slot) -> str | None:
        values = self.all(slot)
        return values[0] if values else None

    def has(self, slot: Slot) -> bool:
        return any(m.value(slot) is not None for m in self.matches)

    @property
    def crowds(self) -> list[str]:
        return self.all("crowd")

    @property
    def metrics(self) -> list[str]:
        return self.all("metric")

    @property
    def intents(self) -> list[str]:
        return self.all("intent")

    def match(self, slot: Slot) -> Match:
        return next(m for m in self.matches if m.value(slot) is not None)


def _names_something(match: Match) -> bool:
    return any(
        s in ("crowd", "metric", "compare", "by", "ambiguous_crowd", "ambiguous_metric") for s, _ in match.meanings
    )


def _masked(text: str, matches: Sequence[Match]) -> str:
    """Names hold words such as 昨天 or 预售 that are no period; they are blanked out, places kept."""
    out = list(text)
    for m in matches:
        out[m.start : m.end] = "\0" * (m.end - m.start)
    return "".join(out)


def _intent(slots: _Slots, filled: Interpretation, text: str) -> Intent:
    named = set(slots.intents)
    asks_definition = "knowledge" in named and any(w in text for w in _DEFINITION)
    if asks_definition:
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
    if filled.crowds and (filled.compare or filled.by) and "crowd" not in named:
        return "metric"
    if filled.crowds or slots.has("ambiguous_crowd"):
        return "metric" if "overview" in named and (filled.period or filled.compare) else "crowd"
    if ("overview" in named and not filled.unused) or (filled.compare and not real):
        return "metric"
    if "smalltalk" in named and len(text) <= 20:
        return "smalltalk"
    if filled.metrics:
        return "crowd"
    return "knowledge" if named & {"knowledge"} or _WORDS.search(text) else "unsupported"


def _clarify(slots: _Slots, previous: Interpretation | None, lang: str) -> Clarify | None:
    """A word that names several metrics or crowds is asked back, unless a clear name stands beside it."""
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


def _comparison(
    slots: _Slots, now: datetime, campaigns: tuple[Campaign, ...], lang: str
) -> tuple[str | None, list[str]]:
    value = slots.first("compare")
    if value != "earlier_campaign":
        return value, []
    here = campaign_for(now.date(), campaigns)
    earlier = earlier_same(here, campaigns) if here else None
    return (f"campaign:{earlier.key}:{earlier.year}", []) if earlier else (None, [])


def _follows_up(slots: _Slots, new: Interpretation, text: str) -> bool:
    """Whether a question leans on the one before it: it says so, or it names only a part of a question."""
    if slots.has("followup") or slots.has("correction"):
        return True
    wish = [i for i in slots.intents if i not in ("crowd", "metric")]
    if wish:
        # "他们今天怎么做": the wish is new, the people are those of the last question.
        return (
            "plan" in wish
            and not new.crowds
            and bool(re.search(r"他们|这些人|这批人|这群人|\bthem\b|\bthey\b|\bthese people\b", text))
        )
    parts = bool(new.crowds) + bool(new.metrics) + bool(new.period) + bool(new.compare) + bool(new.by)
    return parts > 0 and not (new.crowds and new.metrics) and len(text) <= 40


def _inherit(new: Interpretation, old: Interpretation, slots: _Slots) -> Interpretation:
    """What the new question leaves open is taken from the old one; naming another kind of thing changes the intent."""
    wish = [i for i in slots.intents if i not in ("overview", "crowd", "metric", "knowledge")]
    intent = new.intent if wish else old.intent
    real = [m for m in new.metrics if m != "crowd_size"]
    if real and intent not in ("metric",):
        intent = "metric"
    if old.intent in ("knowledge", "unsupported", "help", "smalltalk") and not wish:
        intent = new.intent
    if intent == "crowd" and (new.compare or new.by or (new.period and not new.crowds)):
        intent = "metric"
    metrics = new.metrics if real or (new.metrics and intent == "metric") else old.metrics
    return new.model_copy(
        update={
            "intent": intent,
            "crowds": new.crowds or old.crowds,
            "metrics": metrics if intent in ("metric", "crowd") else [],
            "period": new.period or old.period if intent == "metric" else new.period,
            "compare": new.compare or old.compare if intent == "metric" else None,
            "by": new.by or (old.by if intent == "metric" and not new.compare else None),
            "channel": new.channel or old.channel,
        }
    )


def _complete(out: Interpretation, slots: _Slots, now: datetime, campaigns: tuple[Campaign, ...]) -> Interpretation:
    """Defaults that the intent needs, and where in which campaign the moment is."""
    today = now.date()
    update: dict[str, object] = {}
    if out.intent == "metric":
        if not [m for m in out.metrics if m != "crowd_size"] and not slots.has("ambiguous_metric"):
            update["metrics"] = ["crowd_size"] if out.by and out.crowds and not out.compare else _OVERVIEW
        if not out.crowds:
            update["crowds"] = ["all"]
        if out.period is None:
            update["period"] = {"from": today.isoformat(), "to": today.isoformat()}
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
        if not out.crowds and not slots.has("ambiguous_crowd"):
            update["crowds"] = ["all"]
    elif out.intent == "plan" and out.period is None:
        update["period"] = {"from": today.isoformat(), "to": today.isoformat()}
    here = campaign_for(today, campaigns)
    if here is not None and here.first <= today <= here.last:
        phase = here.phase_at(today)
        update["campaign"] = here.key
        update["phase"] = phase.key if phase else None
    return out.model_copy(update=update)


def _unused(text: str, matches: Sequence[Match], spans: Sequence[tuple[int, int]]) -> list[str]:
    """Words that no rule took up: a reader sees at once what was not understood."""
    rest = list(text)
    for start, end in [(m.start, m.end) for m in matches] + list(spans):
        rest[start:end] = " " * (end - start)
    words = _WORDS.findall("".join(rest))
    return [w for w in dict.fromkeys(words) if len(w) > 1 or w.isdigit()]
