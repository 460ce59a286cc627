"""Messages that point at something nobody has spoken of (那批人发一下, 这句能发吗, why is it so low): asked back, not guessed."""

from __future__ import annotations

import re
from datetime import datetime

import prompts
from bot.answer import Clarify, Interpretation
from bot.understanding.dates import PART_OF_DAY
from bot.understanding.drafting import DraftWish, main_crowd, only_restyles
from bot.understanding.followups import points_at_people
from bot.understanding.lexicon import fold
from bot.understanding.replies import STEP
from bot.understanding.slots import Slots
from knowledge import catalog
from tools.campaigns import Campaign

_JUDGE_THIS = re.compile(
    r"^(?:你看|帮我看看?|那|麻烦看下)?[，, ]*(?:这|那|上面)(?:句话?|条|段|个|样|么|则)?(?:短信|文案|话术|写|文字|内容|"
    r"话)*(?:到底)?"
    r"(?:能不?能?|行|可以|可不可以|合规|合不合规|违规|没问题|有问题|有没有问题|ok)(?:发|用|过|这么写|过审)?(?:出去)?(?:吗|不|"
    r"么|没有|行)?[?？]*$"
    r"|^(?:can|could|may) (?:we|i) (?:send|use|post) (?:this|it|that)(?: out)?\??$|^is (?:this|it|that)(?: text| one|"
    r" copy)? (?:ok|okay|fine|compliant|legal|allowed)(?: to send)?\??$"
    r"|^check (?:this|it)(?: please)?\??$"
)
_CHANGE = re.compile(
    r"^(?:那|再|帮我|麻烦|你)*(?:改改|改一?[改下版]|改短|改长|润色|优化|调整|缩短|精简|重写|换个?[说写]法)(?:一?[下版]|"
    r"点)?(?:吧|呗|呢)?$"
    r"|^(?:please )?(?:make it shorter|shorter|rewrite it|rework it|change it|edit it|polish it|tweak it)(?: please| a bit)?$"
)
_THAT_NUMBER = re.compile(
    r"(?:为(?:什么|啥|何)|怎么(?:会)?|咋|干嘛)(?:会|又|突然|还|就)?(?:这么|那么|如此)?(?:低|高|差|少|跌|掉|降|涨|惨)(?:了|得|"
    r"成这样|这么多)*(?:呢|啊|的)?[?？]?$"
    r"|^why (?:is|was|did|has) (?:it|that|this)\b.{0,24}$|^(?:what|how) about it\??$|^is (?:that|this|it) (?:good|bad|normal|"
    r"high|low)\??$|^(?:这|那|它)(?:算)?(?:正常|高|低|好|多|少)(?:吗|么|不)[?？]?$",
    re.A,
)
_COMPARE_ONLY = re.compile(
    r"^(?:那|再)?(?:跟|和|与|比|同)[^,，]{1,10}(?:比|对比|相比)?(?:呢|一下|怎么样)[?？]?$|^(?:and )?(?:compared (?:to|with)|"
    r"versus|vs\.?) [a-z ]{3,24}\?$"
)
_ANYBODY = re.compile(r"人|客|谁|粉丝|用户|\b(?:people|customers|shoppers|members|who|folks|audience)\b", re.A)
_NUMBERS = ("paid_amount", "buyers", "visitors", "visit_pay_rate")
_PEOPLE = ("cart_unpaid", "coupon_unredeemed", "member", "new")
_POINTING = 20  # characters of a message that is about people said before
_SHORT = 12  # characters of a wish for a text that says nothing but that


def missing(
    text: str,
    out: Interpretation,
    wish: DraftWish | None,
    slots: Slots,
    *,
    now: datetime,
    campaigns: tuple[Campaign, ...],
    lang: str,
) -> Clarify | None:
    """What a message without one before it leaves out, as a question back; None where it stands by itself."""
    said = text.strip()
    people = out.crowds or out.filters or slots.has("ambiguous_crowd")
    if _JUDGE_THIS.search(said):
        return _back("asked.text", [], lang)
    if _CHANGE.search(said) or only_restyles(said):
        return _back("asked.change", [], lang)
    refused = {"privacy", "elsewhere"} & set(slots.intents)
    if points_at_people(said) and not people and not refused and len(said) <= _POINTING:
        return _back("asked.people", _crowds(now, campaigns, lang), lang)
    bare = not people and not slots.has("channel") and (wish is None or wish == DraftWish())
    if out.intent == "draft" and bare and len(said) <= _SHORT:
        back = _back("asked.draft", _crowds(now, campaigns, lang), lang)
        left = prompts.text("join.list", lang).join(out.unused)
        told = prompts.text("answer.not_understood_words", lang, words=left) if left else ""
        return back.model_copy(update={"question": told + back.question})
    named = people or out.metrics or out.period or out.by or slots.has("ambiguous_metric")
    if not named and (_THAT_NUMBER.search(said) or (out.compare and _COMPARE_ONLY.search(said))):
        return _back("asked.number", [catalog.metrics()[k].name.get(lang) for k in _NUMBERS], lang)
    return None


def unnamed(
    out: Interpretation, slots: Slots, *, now: datetime, campaigns: tuple[Campaign, ...], lang: str
) -> Clarify | None:
    """A number or people that nobody knows (好评率多少, 住海边的有多少人): asked back, where the whole shop would be answered."""
    named = (
        [m for m in out.metrics if m not in ("crowd_size", "amount_share")]
        or out.filters
        or slots.has("ambiguous_metric")
    )
    whole = out.crowds in ([], ["all"]) and not slots.has("ambiguous_crowd") and not slots.has("ambiguous_filter")
    left = [w for w in out.unused if not PART_OF_DAY.search(w) and not w.isdigit()]
    if named or not whole or not left or out.by or "overview" in slots.intents:
        return None
    words = prompts.text("join.list", lang).join(left)
    if (out.intent == "crowd" or "crowd_size" in out.metrics) and _ANYBODY.search(slots.text):
        options, kind = _crowds(now, campaigns, lang), "asked.no_people"
    elif out.intent in ("metric", "crowd"):
        options, kind = [catalog.metrics()[k].name.get(lang) for k in _NUMBERS], "asked.no_number"
    else:
        return None
    return Clarify(question=prompts.text(kind, lang, words=words), options=options)


def step_unknown(
    question: str, previous: Interpretation, *, now: datetime, campaigns: tuple[Campaign, ...], lang: str
) -> Clarify | None:
    """Whom to write to is asked back, where a message points at a step of a plan that is of no known people."""
    if previous.crowds not in ([], ["all"]) or previous.filters or not STEP.search(fold(question)):
        return None
    return _back("asked.people", _crowds(now, campaigns, lang), lang)


def _back(kind: str, options: list[str], lang: str) -> Clarify:
    return Clarify(question=prompts.text(kind, lang), options=options)


def _crowds(now: datetime, campaigns: tuple[Campaign, ...], lang: str) -> list[str]:
    """Whom today's messages are mostly for, and the people most asked about."""
    keys = dict.fromkeys([main_crowd(now, campaigns), *_PEOPLE])
    return [catalog.crowds()[k].name.get(lang) for k in keys][:4]
