"""Question + conversation → Interpretation. Deterministic: words from the catalogue, a period grammar, intent by evidence."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import cast

import prompts
from bot.answer import Clarify, Intent, Interpretation
from bot.understanding import goods, passed_over
from bot.understanding.campaign_time import LAST_DAY, MEMBER_DAYS
from bot.understanding.checking import OPT_OUT, text_to_check
from bot.understanding.comparing import Compared, against_days, find_comparison
from bot.understanding.conditions import find_conditions
from bot.understanding.dangling import missing, step_unknown
from bot.understanding.dates import LAST_YEAR, PART_OF_DAY, Period, find_period
from bot.understanding.drafting import DraftWish, completed, of_the_paid, read_wish, wants_draft, with_unmet
from bot.understanding.followups import follows_up, inherit, leaning_words, without_denied
from bot.understanding.goods import Condition, Doubt
from bot.understanding.intents import decide, familiar, features
from bot.understanding.lexicon import Lexicon, Match, fold, words
from bot.understanding.measures import BARE, counted
from bot.understanding.people import is_panel, overlooked
from bot.understanding.refined import share_of
from bot.understanding.replies import only_points, recounted
from bot.understanding.shorthand import written_out
from bot.understanding.slips import mended
from bot.understanding.slots import Slots, settled
from bot.understanding.stretches import BARE_DAY
from knowledge import catalog
from tools.campaigns import Campaign, campaign_for, earlier_same
from tools.metrics import splittable

MAX_LENGTH = 1000
_CJK = re.compile(r"[\u4e00-\u9fff]")
_WORDS = re.compile(r"[\u4e00-\u9fffa-z0-9.%']+")
# Intents by strength of their words when several are there: a wish to write or check outranks a question about numbers.
_CLAUSES = re.compile(r"[^,，。;；?？]+")
_COUNTED = re.compile(r"多少[人个位]?$|几个?人|[有是]多少|人数|\bhow many\b")  # how many they are
# A whole that is counted within.
_OF_PEOPLE = re.compile(r"\b(?:of|among|those|who|people|customers)\b|的[人客]|[里中]")
_DONE = re.compile(r"[做发推写]了|过[吗的]|\bdid\b")  # a plan of a day that is over
_ASKS = re.compile(r"怎么|怎样|如何|吗|呢|多少|几|啥|什么|哪|谁|how|what|when|where|why|who|can ")
_CHANGES = re.compile(
    r"(?:怎么|如何|怎样|在哪)(?:修改|更改|改|换|填)|how (?:do|can) \w+ change"
)  # a how-to, not a list of people
_OF_DATA = (
    "metric",
    "crowd",
    "plan",
    "draft",
    "target",
    "review",
)  # whose answer hangs on which people or number is meant
# A statement in SQL or markup is no question to a colleague; nothing in it is looked up.
_CODE = re.compile(
    r"\b(?:select|insert|update|delete|drop|alter|union)\b.*\b(?:from|into|table|set)\b|<\s*/?\s*[a-z!]", re.DOTALL
)
# How an option that was asked back is computed stands behind its name and is no part of it.
_FORMULA = re.compile(r"[（(][^（）()]*(?:÷| / )[^（）()]*[)）]$")
_I_MEAN = re.compile(r"\bi mean(?:t)?\b(?! (?:order|basket))")  # no, i mean yesterday: no mean is asked for
# Slots whose words may hold a word of time that is no period (和昨天比, 历史预售).
_NAMES = ("crowd", "metric", "compare", "by", "ambiguous_crowd", "ambiguous_metric")
_EACH = re.compile(r"各|分别|哪个|哪种|谁|比|\b(?:each|which|vs|versus|compare|respectively)\b")
_DEFINITION = (
    "原则", "遵循", "圈选", "是什么", "什么是", "什么意思", "啥意思", "怎么算", "定义", "口径", "公式",
    "definition", "define", "meaning of", "what does", "formula", "computed", "calculated",
)  # fmt: skip
_OVERVIEW = ["visitors", "carters", "buyers", "paid_amount"]
_OF_BALANCE = ("deposit_balance_rate", "balance_buyers", "presale_paid_amount")
_DAY_SAID = re.compile(r"\d ?[月号日./-]|\b(?:may|june?|oct|nov)")
# Amounts that no metric gives; what the answer shows instead reads like them.
_UNCOUNTED = re.compile(
    r"(?:定金|订金)[^,，。；;？?]{0,6}(?:多少钱|金额|总额)|多少(?:钱)?的?(?:定金|订金)(?!人|买家|单)"
    r"|尾款[^,，。；;？?]{0,6}(?:多少钱|金额|总额)|多少(?:钱)?的?尾款(?!人|买家|单)|(?:多少|几个?)钱[^,，。；;？?]{0,4}尾款"
    r"|退(?:款|货)?了?(?:多少|几个?)钱|退款(?:的|总)?(?:金额|总额|额)(?!占|率)"
    r"|(?:deposits?|balances?|refund(?:s|ed)?) (?:amount|money|total)|how much (?:was|did we|have we|has been) refund\w*"
)
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
    picked: bool = False,
) -> Understood:
    """What `question` asks, given what was understood before it in the same session. `drafted`: the last draft's wish; `picked`:
    the question is an option that was asked back."""
    checked = text_to_check(question)
    if checked is not None:
        about = Slots(lexicon.find(fold(checked[0])), fold(checked[0]))
        channel = about.first("channel") or ("sms" if OPT_OUT.search(checked[1]) else None)
        judged = Interpretation(intent="check", channel=channel)
        return Understood(_complete(judged, about, now, campaigns, lang))
    first, other = _first_asked(fold(question)[:MAX_LENGTH], lexicon)
    if other:
        understood = interpret(
            first, previous, lexicon=lexicon, now=now, campaigns=campaigns, lang=lang, drafted=drafted, picked=picked
        )
        told = understood.interpretation.model_copy(update={"unused": [*other, *understood.interpretation.unused]})
        return replace(understood, interpretation=told)
    read = _read(question, previous, lexicon, now, campaigns, lang)
    if read is None:
        return Understood(_complete(Interpretation(intent="unsupported"), Slots([], ""), now, campaigns, lang))
    text, slots, filled, wish, doubt, named = read.text, read.slots, read.filled, read.wish, read.doubt, read.named
    filled = _as_before(filled, slots, previous)
    out = filled.model_copy(update={"intent": _intent(read)})
    clarify = _clarify(slots, doubt, filled.metrics, lang) if out.intent in _OF_DATA else None
    if wish is not None and not {"draft", "privacy", "elsewhere"} & set(slots.intents):
        out = out.model_copy(update={"intent": "draft"})  # 再短一点, 换成群文案: a change of the last draft
    shared = previous is not None and previous.intent == "metric" and share_of(text, previous.metrics) is not None
    if clarify is None and previous is not None and (shared or follows_up(slots, out, text, denied=read.denied)):
        out = inherit(out, previous, slots, text, picked=picked)
        leaning = leaning_words(text, refining=bool(slots.crowds) or shared)
        out = out.model_copy(update={"unused": [w for w in out.unused if not any(w in said for said in leaning)]})
    if clarify is None and previous is None:
        clarify = missing(fold(question), out, wish, slots, now=now, campaigns=campaigns, lang=lang)
    out = _of_channel(out, slots)
    out = goods.counted(out, read.conditions, previous, _OVERVIEW, lang)
    out = _relative_compare(out, slots, read.compared, now.date())
    out = _days_not_counted(out, text, read.left)
    out = _joined_in(_amount_not_counted(out, text, lang))
    out = passed_over.told(out, text, slots.matches, read.days, read.conditions, fold(question), lang)
    here = campaign_for(now.date(), campaigns)
    out = _plan_of_a_day(_day_to_come(out, text, read.days, now.date(), here), now.date())
    out = _beside_target(out, previous, here, now.date(), lang)
    if out.intent == "plan" and named is not None and named is not here:
        out = out.model_copy(update={"intent": "knowledge"})  # today's actions are those of the campaign we are in
    people = bool(slots.crowds or read.filled.filters or slots.has("ambiguous_crowd"))
    if out.intent in ("draft", "plan") and not people:
        paid = of_the_paid(out, text, lang)
        out, people = paid, paid is not out
    if out.intent == "draft":
        if not people and previous is not None and clarify is None:
            clarify = step_unknown(question, previous, now=now, campaigns=campaigns, lang=lang)
        of_today = out.period is not None and set(out.period.values()) == {now.date().isoformat()}
        out, wish = completed(out, wish, previous, drafted, named=people, now=now, campaigns=campaigns, lang=lang)
        out = with_unmet(out, text, read.days, _elsewhen(slots, here, named, now.date()), today=of_today)
        # A channel may stand inside a description (催尾款短信给…) and is used all the same.
        its_names = {fold(w) for w in words().channels.get(out.channel or "", ())}
        out = out.model_copy(update={"unused": [w for w in out.unused if w not in its_names]})
        return Understood(_complete(out, slots, now, campaigns, lang), clarify, wish)
    return Understood(_complete(out, slots, now, campaigns, lang, named), clarify)


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


@dataclass(frozen=True)
class _Read:
    """What stands in a question by itself: its folded text, the known words and days in it, the slots they fill."""

    text: str
    slots: Slots
    days: Sequence[tuple[int, int]]
    filled: Interpretation
    wish: DraftWish | None
    doubt: Doubt | None
    named: Campaign | None
    left: Sequence[tuple[int, int]]
    compared: Compared | None
    denied: bool
    conditions: Sequence[Condition]


def _read(
    question: str,
    previous: Interpretation | None,
    lexicon: Lexicon,
    now: datetime,
    campaigns: tuple[Campaign, ...],
    lang: str,
) -> _Read | None:
    """None for code and markup, in which nothing is looked up."""
    text = _FORMULA.sub("", fold(question)[:MAX_LENGTH])
    if _CODE.search(text):
        return None
    text = mended(written_out(text), lexicon)
    text, denied = without_denied(text) if previous is not None else (text, False)
    text = _I_MEAN.sub(lambda m: " " * len(m[0]), text)
    free = _masked(text, [m.span() for m in LAST_DAY.finditer(text)])  # 最后一天未付款: a day, and not how recently
    conditions, doubt = find_conditions(free, lexicon, now, campaigns, reply=previous is not None)
    text = _masked(text, [c.span for c in conditions] + ([doubt.span] if doubt else []), " ")
    found = lexicon.find(text)
    wish = None
    if wants_draft(text, found, previous):
        wish, text = read_wish(question, text, found)
        found = lexicon.find(text)
    else:
        named_goods = list(goods.subjects(text, lexicon, [(m.start, m.end) for m in found]))
        conditions += [x for x in named_goods if isinstance(x, Condition)]
        doubt = doubt or next((x for x in named_goods if isinstance(x, Doubt)), None)
        if named_goods:
            text = _masked(text, [x.span for x in named_goods], " ")
            found = lexicon.find(text)
    text, compared = _without_comparison(text, found, now, campaigns)
    found = lexicon.find(text) if compared else found
    named, missing = _named_campaign(found, text, now, campaigns)
    names = [(m.start, m.end) for m in found if _names_something(m)]
    period = find_period(_masked(text, names), now, campaigns, named)
    days = period.spans if period else ()
    matches = [*lexicon.find(text, days), *([compared.as_match()] if compared else [])]
    slots = Slots(counted(settled(matches, period is not None or compared is not None), text, days), text)
    if period is None and slots.has("phase"):
        period = _of_phase(slots.first("phase") or "", named or campaign_for(now.date(), campaigns), now)

    compare, unsupported = _comparison(slots, now, campaigns)
    several = wish is None and len(slots.all("channel")) > 1 and bool(_EACH.search(text))  # 短信、群各发了多少
    filled = Interpretation(
        intent="unsupported",
        crowds=slots.crowds,
        metrics=slots.metrics,
        period={"from": period.first.isoformat(), "to": period.last.isoformat()} if period else None,
        channel=None if several else slots.channel,
        compare=compare,
        by=slots.first("by") or ("channel" if several else None),
        filters=[*slots.filters, *dict.fromkeys(c.filter for c in conditions)],
        assumed=[*([prompts.text("when.no_campaign", lang)] if missing else []), *_touched(conditions, lang)],
        unused=[*unsupported, *_unused(text, slots.matches, period.spans if period else ())],
    )
    left = period.left if period else ()
    return _Read(
        text, slots, period.spans if period else (), filled, wish, doubt, named, left, compared, denied, conditions
    )


def _without_comparison(
    text: str, found: Sequence[Match], now: datetime, campaigns: tuple[Campaign, ...]
) -> tuple[str, Compared | None]:
    """(the text without the words of a comparison that the list of fixed names does not have, that comparison)."""
    compared = find_comparison(text, now, campaigns)
    fixed = [(m.start, m.end) for m in found if m.value("compare")]
    if compared is None or compared.value is None:
        compared = find_comparison(_masked(text, fixed), now, campaigns)
    return (_masked(text, compared.spans, " "), compared) if compared else (text, None)


def evidence(question: str, lexicon: Lexicon, now: datetime, campaigns: tuple[Campaign, ...]) -> Counter[str]:
    """What the intent of a question that stands by itself is told by (bot/understanding/intents.py)."""
    read = _read(question, None, lexicon, now, campaigns, language(question))
    return features(read.text, read.slots.matches, read.days, read.filled) if read else Counter()


def _days_not_counted(out: Interpretation, text: str, left: Sequence[tuple[int, int]]) -> Interpretation:
    """Numbers are of whole days that follow one another: hours, and days apart from those counted, are told as not used."""
    if out.intent not in ("metric", "crowd"):
        return out
    several = MEMBER_DAYS.search(text)
    told = [
        *([several[0]] if several else []),
        *(text[a:b] for a, b in left),
        *(m[0].strip() for m in PART_OF_DAY.finditer(text)),
    ]
    rest = [w for w in out.unused if not any(w in t for t in told)]
    return out.model_copy(update={"unused": list(dict.fromkeys([*told, *rest]))}) if told else out


def _elsewhen(slots: Slots, here: Campaign | None, named: Campaign | None, today: date) -> list[str]:
    """The words for another campaign or phase than the present one."""
    phase = here.phase_at(today) if here else None
    campaign = here.key if here is not None and named in (None, here) else None
    return [
        m.text
        for m in slots.matches
        if m.value("campaign") not in (None, campaign) or m.value("phase") not in (None, phase.key if phase else None)
    ]


def _amount_not_counted(out: Interpretation, text: str, lang: str) -> Interpretation:
    """收了多少定金, 退了多少钱: no metric gives that amount; it is told first, and all sales do not stand for it."""
    said = _UNCOUNTED.search(text)
    if said is None or out.intent not in ("metric", "crowd"):
        return out
    metrics = out.metrics
    if out.intent == "metric":
        instead = ["presale_paid_amount"] if "尾款" in said[0] else []
        metrics = [x for m in metrics for x in (instead if m == "paid_amount" else [m])]
        metrics = list(dict.fromkeys(metrics)) or out.metrics
    rest = [w for w in out.unused if w not in said[0]]
    told = prompts.text("asked.no_amount", lang)
    return out.model_copy(update={"metrics": metrics, "unused": [said[0], *rest], "assumed": [*out.assumed, told]})


def _joined_in(out: Interpretation) -> Interpretation:
    """新会员 of days that were named are who joined in them, not who is a new member at their end."""
    sized = out.crowds == ["new_member"] and set(out.metrics) <= {"crowd_size", "new_members"}
    several = out.period is not None and (out.intent == "metric" or out.period["from"] != out.period["to"])
    if not (sized and several and out.intent in ("metric", "crowd")) or out.by or out.compare:
        return out
    return out.model_copy(update={"intent": "metric", "crowds": ["all"], "metrics": ["new_members"]})


def _plan_of_a_day(out: Interpretation, today: date) -> Interpretation:
    """Actions are planned for a day; about a whole other phase the playbooks answer."""
    if out.intent != "plan" or out.period is None:
        return out
    first, last = (date.fromisoformat(out.period[k]) for k in ("from", "to"))
    if first <= today <= last or first == last:
        return out
    return out.model_copy(update={"intent": "knowledge"})


def _day_to_come(
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
    return out.model_copy(update={"period": {"from": ahead.isoformat(), "to": ahead.isoformat()}})


def _beside_target(
    out: Interpretation, previous: Interpretation | None, here: Campaign | None, today: date, lang: str
) -> Interpretation:
    """那成交人数呢 after the target of a campaign is of the same days, which are the campaign's so far."""
    if previous is None or previous.intent != "target" or out.intent != "metric" or out.period is not None:
        return out
    if here is None or not here.first <= today <= here.last:
        return out
    period = previous.period or {"from": here.first.isoformat(), "to": today.isoformat()}
    assumed = [*out.assumed, prompts.text("when.campaign_so_far", lang)]
    return out.model_copy(update={"period": period, "assumed": out.assumed if previous.period else assumed})


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
    if year is None:
        text = _masked(text, [(m.start, m.end) for m in matches if m.value("compare")])  # 618卖了多少,去年同期呢
        year = now.year - 1 if LAST_YEAR.search(text) else now.year - 2 if "前年" in text else None
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


def _intent(read: _Read) -> Intent:
    """What kind of thing is asked for: what is refused by its words first, then by the trained model."""
    named = set(read.slots.intents)
    if named & {"privacy", "elsewhere"}:  # 怎么修改收货地址: a how-to, no list of people
        return "knowledge" if "privacy" in named and _CHANGES.search(read.text) else "unsupported"
    if (
        not _WORDS.search(read.text)
        or only_points(read.text)
        or not (read.slots.matches or read.days or familiar(read.text))
    ):
        return "unsupported"
    return cast(Intent, decide(read.text, features(read.text, read.slots.matches, read.days, read.filled))[0])


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


def _clarify(slots: Slots, doubt: Doubt | None, metrics: Sequence[str], lang: str) -> Clarify | None:
    """A word that names several metrics, crowds or items is asked back, unless a clear name stands beside it."""
    if doubt is not None:
        question = prompts.text("answer.clarify_item", lang, word=doubt.word)
        return Clarify(question=question, options=list(doubt.titles))
    if slots.has("ambiguous_metric") and not metrics:
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
    if slots.has("ambiguous_crowd") and all(
        map(is_panel, slots.crowds)
    ):  # 没付款的会员: which un-paid people is still open
        match = slots.match("ambiguous_crowd")
        keys = (match.value("ambiguous_crowd") or "").split(",")
        options = [catalog.crowds()[key].name.get(lang) for key in keys]
        return Clarify(question=prompts.text("answer.clarify_crowd", lang, word=match.text), options=options)
    if slots.has("ambiguous_filter") and not any("member_level:" in f for f in slots.filters):
        match = slots.match("ambiguous_filter")
        options = (match.value("ambiguous_filter") or "").split(",")
        return Clarify(question=prompts.text("answer.clarify_level", lang, word=match.text), options=options)
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
        return None, []  # told by _relative_compare, once the days asked about are known
    if value != "earlier_campaign":
        return value, []
    here = campaign_for(now.date(), campaigns)
    earlier = earlier_same(here, campaigns) if here else None
    return (f"campaign:{earlier.key}:{earlier.year}", []) if earlier else (None, [slots.match("compare").text])


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
            sized = out.metrics or ("crowd" in slots.intents and (out.crowds or out.filters))
            of_people = of_people or (sized and "overview" not in slots.intents)  # 会员有多少
            alone = "paid_amount" if out.compare == "target" else "crowd_size" if of_people else None
            update["metrics"] = [alone] if alone else [m for m in _OVERVIEW if not out.by or splittable(m, out.by)]
        if not out.crowds and not out.filters:
            update["crowds"] = ["all"]
        if out.period is None or _of_presale_people(out, slots, campaign_for(today, campaigns), today):
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
    elif out.intent == "target" and not [m for m in out.metrics if m != "crowd_size"]:
        update["metrics"] = ["paid_amount"]  # the target of a promotion, without a word more, is that of its sales
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


def _relative_compare(out: Interpretation, slots: Slots, compared: Compared | None, today: date) -> Interpretation:
    """和前天比 beside yesterday is the day before it, 和上上周比 beside last week the period before it; what is not computed
    is said."""
    word = slots.first("compare")
    if word not in ("day_before", "week_before", "unsupported"):
        return out
    first, last = (date.fromisoformat(out.period[k]) for k in ("from", "to")) if out.period else (None, None)
    asked = Period(first, last, ()) if first and last else None
    kind, days = None, asked
    if compared is not None and compared.other is not None:
        kind, days = against_days(compared, asked, today)
    elif asked and word == "day_before" and asked.first == asked.last == today - timedelta(days=1):
        kind = "previous_day"
    elif asked and word == "week_before" and (asked.last - asked.first).days == 6 and asked.last < today:
        kind = "previous_window"
    said = compared.said if compared else slots.match("compare").text
    period = {"from": days.first.isoformat(), "to": days.last.isoformat()} if days else None
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
        return {"period": presale, "assumed": [*assumed, prompts.text("asked.presale_days", lang)]}
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
    return {"period": {"from": first.isoformat(), "to": today.isoformat()}, "assumed": assumed}


def _presale(here: Campaign | None, today: date) -> dict[str, str] | None:
    """The days of the latest presale that has begun, up to today."""
    begun = [p for p in here.phases if p.kind == "presale" and p.first <= today] if here else []
    return {"from": begun[-1].first.isoformat(), "to": min(begun[-1].last, today).isoformat()} if begun else None


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
    return {"from": begun["from"], "to": min([today, *ends[:1]]).isoformat()}


def _unused(text: str, matches: Sequence[Match], spans: Sequence[tuple[int, int]]) -> list[str]:
    """Words that no rule took up: a reader sees at once what was not understood."""
    rest = list(text)
    for start, end in [(m.start, m.end) for m in matches] + list(spans):
        rest[start:end] = " " * (end - start)
    words = _WORDS.findall("".join(rest))
    trimmed = (w.strip(".'") for w in words)
    left = [w for w in trimmed if len(w) > 1 or w.isdigit()]
    return list(dict.fromkeys([*left, *overlooked(matches, text, spans)]))
