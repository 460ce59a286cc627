"""Question + conversation → Interpretation. Deterministic: words from the catalogue, a period grammar, a trained intent."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime
from typing import cast

from bot.answer import Clarify, Intent, Interpretation
from bot.understanding import fitting, fitting_plans, goods, passed_over
from bot.understanding.checking import OPT_OUT, text_to_check
from bot.understanding.dangling import missing, step_unknown, unnamed
from bot.understanding.defaults import OVERVIEW, complete, relative_compare
from bot.understanding.doubtful import asked_back, unsure
from bot.understanding.drafting import DraftWish, completed, of_the_paid, with_unmet
from bot.understanding.followups import follows_up, inherit, leaning_words
from bot.understanding.intents import decide, familiar, features
from bot.understanding.lexicon import Lexicon, fold, words
from bot.understanding.measures import BARE
from bot.understanding.people import is_panel
from bot.understanding.reading import MAX_LENGTH, WORDS, Read, read
from bot.understanding.refined import share_of
from bot.understanding.replies import only_points, recounted
from bot.understanding.slots import Slots
from tools.campaigns import Campaign, campaign_for

_CJK = re.compile(r"[\u4e00-\u9fff]")
_CLAUSES = re.compile(r"[^,，。;；?？]+")
_COUNTED = re.compile(r"多少[人个位]?$|几个?人|[有是]多少|人数|\bhow many\b", re.A)  # how many they are
# A whole that is counted within.
_OF_PEOPLE = re.compile(r"\b(?:of|among|those|who|people|customers)\b|的[人客]|[里中]", re.A)
# A how-to, not a list of people.
_CHANGES = re.compile(r"(?:怎么|如何|怎样|在哪)(?:修改|更改|改|换|填)|how (?:do|can) \w+ change", re.A)
# Whose answer hangs on which people or number is meant.
_OF_DATA = ("metric", "crowd", "plan", "draft", "target", "review")


# Of those counted before, so and so many: 其中老客多少, 老客占几成, and how many of the old customers.
_PART = re.compile(
    r"^(?:(?:其中|这?里面|这些人(?:里|中)|当中)(?:的|有)?(?P<zh>[^,，]{1,8}?)(?:有|是|占)?(?:多少|几)(?:个|位|成)?(?:人)?"
    r"|(?P<share>[^,，]{1,6}?)占(?:了)?(?:多少|几成|多大|比(?:多少)?)"
    r"|and (?:how many|what share) (?:of|were|are|of them (?:are|were)) (?:the |our )?(?P<en>[a-z ]{3,20}))[?？]?$"
)


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
    picked: bool = False,
) -> Understood:
    """What `question` asks, given what was understood before it in the same session. `drafted`: the last draft's wish; `picked`:
    the question is an option that was asked back."""
    checked = text_to_check(question)
    if checked is not None:
        about = Slots(lexicon.find(fold(checked[0])), fold(checked[0]))
        channel = about.first("channel") or ("sms" if OPT_OUT.search(checked[1]) else None)
        judged = Interpretation(intent="check", channel=channel)
        return Understood(complete(judged, about, now, campaigns, lang))
    folded = fold(question)
    first, other = _first_asked(folded[:MAX_LENGTH], lexicon)
    if other:
        understood = interpret(
            first, previous, lexicon=lexicon, now=now, campaigns=campaigns, lang=lang, drafted=drafted, picked=picked
        )
        told = understood.interpretation.model_copy(update={"unused": [*other, *understood.interpretation.unused]})
        return replace(understood, interpretation=told)
    whole, parts = _whole_and_parts(folded[:MAX_LENGTH], lexicon)
    if parts:
        understood = interpret(whole, previous, lexicon=lexicon, now=now, campaigns=campaigns, lang=lang)
        found = understood.interpretation
        of_sales = found.metrics == ["paid_amount"]  # a share of sales has a metric of its own
        counted = found.intent == "metric" and found.crowds == ["all"] and not found.filters and not of_sales
        if understood.clarify is None and counted:
            return replace(understood, interpretation=found.model_copy(update={"crowds": ["all", *parts]}))
    seen = read(question, previous, lexicon, now, campaigns, lang)
    if seen is None:
        return Understood(complete(Interpretation(intent="unsupported"), Slots([], ""), now, campaigns, lang))
    text, slots, filled, wish, doubt, named = seen.text, seen.slots, seen.filled, seen.wish, seen.doubt, seen.named
    filled = _as_before(filled, slots, previous)
    intent, instead = _intent(seen)
    out = filled.model_copy(update={"intent": intent})
    clarify = asked_back(slots, doubt, filled.metrics, lang) if out.intent in _OF_DATA else None
    if wish is not None and not {"draft", "privacy", "elsewhere"} & set(slots.intents):
        out = out.model_copy(update={"intent": "draft"})  # 再短一点, 换成群文案: a change of the last draft
    shared = previous is not None and previous.intent == "metric" and share_of(text, previous.metrics) is not None
    if clarify is None and previous is not None and (shared or follows_up(slots, out, text, denied=seen.denied)):
        out = inherit(out, previous, slots, text, picked=picked)
        leaning = leaning_words(text, refining=bool(slots.crowds) or shared)
        out = out.model_copy(update={"unused": [w for w in out.unused if not any(w in said for said in leaning)]})
    if clarify is None and previous is None:
        clarify = missing(folded, out, wish, slots, now=now, campaigns=campaigns, lang=lang)
    if clarify is None:
        clarify = unnamed(out, slots, now=now, campaigns=campaigns, lang=lang)
    out = fitting.forecast(fitting.of_the_presale(out, text), text)
    out = fitting.the_gap(fitting.of_the_calendar(out), text)
    out = fitting.sized(fitting.why(out, text, lang), slots)
    out = fitting.of_channel(out, slots)
    out = goods.counted(out, seen.conditions, previous, OVERVIEW, lang)
    out = relative_compare(out, slots, seen.compared, now.date())
    out = fitting.this_time_yesterday(out, text, now.date())
    out, left = fitting.two_days(out, text, seen.left, now, campaigns)
    out = fitting.by_hour(out, text, lang)
    out = fitting.days_not_counted(out, text, left)
    out = fitting.joined_in(fitting.amount_not_counted(out, text, lang))
    out = passed_over.told(out, text, slots.matches, seen.days, seen.conditions, folded, lang)
    here = campaign_for(now.date(), campaigns)
    out = fitting_plans.without_channel(out, slots)
    out = fitting_plans.plan_of_today(out, text, now.date())
    out = fitting_plans.plan_of_a_day(fitting_plans.day_to_come(out, text, seen.days, now.date(), here), now.date())
    out = fitting.beside_target(out, previous, here, now.date(), lang)
    if out.intent == "plan" and named is not None and named is not here:
        out = out.model_copy(update={"intent": "knowledge"})  # today's actions are those of the campaign we are in
    people = bool(slots.crowds or seen.filled.filters or slots.has("ambiguous_crowd"))
    if out.intent in ("draft", "plan") and not people:
        paid = of_the_paid(out, text, lang)
        out, people = paid, paid is not out
    if out.intent == "draft":
        if not people and previous is not None and clarify is None:
            clarify = step_unknown(question, previous, now=now, campaigns=campaigns, lang=lang)
        today = now.date()
        of_today = out.period is not None and set(out.period.values()) == {today.isoformat()}
        out, wish = completed(out, wish, previous, drafted, named=people, now=now, campaigns=campaigns, lang=lang)
        out = with_unmet(out, text, seen.days, fitting_plans.elsewhen(slots, here, named, today), today=of_today)
        return Understood(complete(_channel_used(out), slots, now, campaigns, lang), clarify, wish)
    if instead is not None and out.intent == intent and previous is None:
        out = unsure(out, instead, lang)
    return Understood(complete(out, slots, now, campaigns, lang, named), clarify)


def _channel_used(out: Interpretation) -> Interpretation:
    """A channel may stand inside a description (催尾款短信给…) and is used all the same."""
    its_names = {fold(w) for w in words().channels.get(out.channel or "", ())}
    return out.model_copy(update={"unused": [w for w in out.unused if w not in its_names]})


def _first_asked(text: str, lexicon: Lexicon) -> tuple[str, list[str]]:
    """(the first of two questions in one, what is left for another time): the number of the one is not of the people counted
    in the other (今天成交和昨天比,还有加购未付款多少人)."""
    clauses = [(m.start(), m[0]) for m in _CLAUSES.finditer(text)]
    if len(clauses) < 2:
        return text, []
    found = lexicon.find(text)
    for start, clause in clauses[1:]:
        here = [m for m in found if start <= m.start < start + len(clause)]
        people = any((key := m.value("crowd")) and not is_panel(key) for m in here)
        before = [m for m in found if m.start < start]
        counted = any((key := m.value("metric")) and key != "crowd_size" for m in before)
        named = any(m.value("crowd") or m.value("ambiguous_crowd") or m.value("filter") for m in before)
        within = _OF_PEOPLE.search(text[:start])
        if people and counted and not (named or within) and _COUNTED.search(clause):
            return text[:start].rstrip(" ,，。;；?？"), [c for at, c in clauses if at >= start]
    return text, []


def _whole_and_parts(text: str, lexicon: Lexicon) -> tuple[str, list[str]]:
    """(what is counted, the crowds of which it is to be counted as well): 昨天加购多少人，其中老客多少."""
    clauses = [(m.start(), m[0].strip()) for m in _CLAUSES.finditer(text)]
    part = _PART.match(clauses[1][1]) if len(clauses) == 2 else None
    if part is None:
        return text, []
    whole = text[: clauses[1][0]].rstrip(" ,，。;；?？")
    said = part["zh"] or part["share"] or part["en"]
    found = [m for m in lexicon.find(said) if m.value("crowd")]
    alone = len(found) == 1 and found[0].text == said.strip()
    return whole, [key for m in found if alone and is_panel(key := m.value("crowd") or "")]


def _intent(seen: Read) -> tuple[Intent, Intent | None]:
    """(what kind of thing is asked for, what else it may be): what is refused by its words first, then by the trained model."""
    named = set(seen.slots.intents)
    if named & {"privacy", "elsewhere"}:  # 怎么修改收货地址: a how-to, no list of people
        return ("knowledge" if "privacy" in named and _CHANGES.search(seen.text) else "unsupported"), None
    nothing_known = not (seen.slots.matches or seen.days or familiar(seen.text))
    if nothing_known or only_points(seen.text) or not WORDS.search(seen.text):
        return "unsupported", None
    intent, other = decide(seen.text, features(seen.text, seen.slots.matches, seen.days, seen.filled))
    return cast(Intent, intent), cast("Intent | None", other)


def _as_before(filled: Interpretation, slots: Slots, previous: Interpretation | None) -> Interpretation:
    """Of several metrics that a word may mean, the one that the conversation is about: 那粉丝的转化率呢; of the number asked
    about before its share: 占进店的几成."""
    share = (
        share_of(slots.text, previous.metrics) or recounted(slots.text, previous.metrics)
        if previous is not None and previous.intent == "metric"
        else None
    )
    if share is not None:
        return filled.model_copy(update={"metrics": [share], "crowds": [c for c in filled.crowds if c != "all"]})
    if filled.metrics or previous is None or not slots.has("ambiguous_metric"):
        return filled
    match = slots.match("ambiguous_metric")
    meant = [key for key in (match.value("ambiguous_metric") or "").split(",") if key in previous.metrics]
    if not meant and match.text == BARE and previous.intent == "metric":
        meant = previous.metrics
    return filled.model_copy(update={"metrics": meant}) if meant else filled


def evidence(question: str, lexicon: Lexicon, now: datetime, campaigns: tuple[Campaign, ...]) -> Counter[str]:
    """What the intent of a question that stands by itself is told by (bot/understanding/intents.py)."""
    seen = read(question, None, lexicon, now, campaigns, language(question))
    return features(seen.text, seen.slots.matches, seen.days, seen.filled) if seen else Counter()
