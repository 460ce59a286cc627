"""What a request for a draft asks for beside crowd and channel: its benefit, purpose, number of variants, and how the last draft
is to change."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache

import prompts
from bot.answer import Interpretation
from bot.understanding.lexicon import Match, blanked, fold, words
from knowledge import catalog
from knowledge.copy_templates import copy_file
from tools.campaigns import Campaign, campaign_for
from tools.facts import Record

_STOP = r"\s,，。;；、!！?？:：的给"
_GIFT = rf"(?<![发推派配运])(?:加赠|赠送|加送|赠|送)(?!达|到|货|一?[条段]|[给他她它人])[^{_STOP}]{{1,12}}"
_NUMBER = r"\d+(?:\.\d+)?\s*(?:元|块)?"
# A condition belongs to its benefit: 满 300 打 9 折 without the 300 would be another promise.
_IF = r"(?:每?(?:满|买|买够|任选)\s*\d+\s*(?:元|块|件|盒|瓶)?\s*(?:可|就|即|享|立享|再)*\s*)?"
_BENEFITS = (
    rf"(?:每)?满\s*{_NUMBER}\s*(?:立减|减|返)\s*{_NUMBER}",
    rf"满\s*{_NUMBER}\s*{_GIFT}",
    rf"{_IF}(?:立减|直降|再减|优惠|减)\s*{_NUMBER}",
    rf"{_NUMBER}\s*(?:无门槛|优惠|满减|代金)*券",
    rf"{_IF}(?:打)?(?:\d(?:\.\d)?|[一二三四五六七八九]{{1,2}})折(?:优惠)?",
    r"第[二三四2-4]件(?:半价|\d折|[一-九]折)|买[一二三两\d]+[送赠][一二三两\d]+",
    r"(?:\d+|双|两|三)倍积分|包邮|免邮",
    _GIFT,
    r"\d+(?:\s*%|(?: yuan| rmb| cny))? off(?: (?:on )?(?:every |each )?(?:orders? |purchases? )?(?:over |above |of |"
    r"from )?\d+)?",
    r"\b(?:a )?free (?:samples?|gifts?|shipping)\b",
)
_BENEFIT = re.compile("|".join(f"(?:{p})" for p in _BENEFITS), re.A)
_COUNTS = {"二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "two": 2, "three": 3, "four": 4, "five": 5}
_VARIANTS = re.compile(
    r"(?<![第\d])(\d{1,2}|[二两三四五])\s*(?:个|条|种|版|段)?(?:不同的?)?(?:版本|写法|说法|角度|短信|文案|版(?!本)|条(?=$|"
    r"[,，。\s]))"
    r"|\b(\d{1,2}|two|three|four|five) (?:different )?(?:versions?|variants?|drafts?|options?)\b",
    re.A,
)
_ADDING = re.compile(r"加上|再加|再送|另外|还要|同时|\balso\b|\bplus\b|\badd\b|\btoo\b", re.A)
_ANOTHER_CHANNEL = re.compile(
    r"换|改|用|来[个条一]|也|再|同样|版|出一?|写|做成|发|那|呢|试试|\bas an?\b|\binstead\b|\binto\b|\bmake it\b|\btoo\b|"
    r"\balso\b|\bsame\b|\bnow\b|\bversion\b|\band\b",
    re.A,
)
# A piece of copy that is asked for: push一句话, 短信来一条, 口播来三句, 群里发一段; with people also where nothing else is asked.
_PIECE = re.compile(
    r"(?:来|出|整|弄|搞|发|给|要|做|编|想|准备|帮)(?:我)?(?:们)?(?:个|几|[一二两三四五\d]+)?(?:[条句段版篇则份封]|句话)|"
    r"[一二两三四五几\d]+(?:句话|段话|条(?!件)|句|版(?!本|块)|则)"
    r"|写成|改成|换成|做成|变成|转成|改写|\b(?:a|an|one|another|quick|short) (?:sms|push|text|group|call|service|live|card|"
    r"private|direct)\b",
    re.A,
)
_SEND = re.compile(r"发|推给|推送给|通知|喊|\b(?:for|to|about|saying|mentioning|telling)\b", re.A)
_QUESTION = re.compile(
    r"多少|几(?![句条版个段则])|吗|么(?!样)|怎么(?![说写])|咋(?![说写])|如何|哪|为什么|为啥|是否|要不要|该不该|能不能|"
    r"可不可以|还是|效果|数据|规则|规定|[^效]率|合适|什么时候|几点|有没有|怎样|比|超过|次|趋势"
    r"|\b(?:how|which|why|when|what|who|should|do we|does|did|is it|are|was|were|rates?|many|much|limit|rules?)\b",
    re.A,
)


_WHOSE = {
    "balance": "balance_due",
    "balance_soon": "balance_due",
    "deposit": "deposit_unpaid",
}  # whom a purpose is for, where nobody is named
_LEFT_OUT = ("no_emoji", "no_price")  # styles that stay whatever else changes
# A channel that is not to be used: 不要短信; 要不要短信 is a question.
DENIED = re.compile(
    r"(?:(?<![要用想能该发是可会])(?:先|暂时)?不[要用想能再]?(?:再)?(?:发|用|写|推|走)|别(?:再)?(?:发|用|写|推|走)"
    r"|(?<![要用想能该发是可会])不[要用是]"
    r"|\bno|\bnot(?: an?| by| via)?|\bdon't (?:send|use|write)(?: an?)?)\s*$",
    re.A,
)
# What a draft's words are to be like or to leave out, which no rule can do; it is told.
_UNMET = re.compile(
    r"(?:每[条个版段]|一条)?\s*(?:字数)?(?:不要?超过?|不能超过?|别超过?|控制在|最多|少于|不到)\s*\d+\s*个?字(?:以内|之内)?|\d+\s*个?字(?:以内|之内|左右)"
    r"|(?:不要|不用|不能|别|不)(?:写|提到?|出现|带|讲|说)[^\s,，。;；、!！?？]{1,8}"
    r"|(?:活泼|正式|亲切|温柔|幽默|俏皮|热情|文艺|高级|可爱|搞笑|口语化?|走心|委婉|专业)(?:一点|一些|点|些)?(?:儿)?"
    r"|\b(?:under|at most|within|no more than|max(?:imum)?) \d+ (?:words|characters|chars)\b"
    r"|\b(?:without|do not mention|don't mention|no) (?:any |the )?(?:prices?|discounts?|names?|numbers?)\b"
    r"|\b(?:more )?(?:playful|formal|friendly|funny|lively|casual|polite|warm)\b",
    re.A,
)
_UNTIL = re.compile(
    r"\s*(?:\d{1,2}\s*[点:：时]\d{0,2})?\s*(?:前|之前)?\s*(?:就|要)?(?:截止|结束|到期|过期|恢复原价|开始|开抢|开售|涨价)"
)
# Who has paid, where no crowd of the catalogue is named.
_PAID = re.compile(
    r"已经?(?:付(?:了|完|过)?[款钱]|付清|买|购买|下单|下了单|成交|支付)(?:了|过|完)?(?:的(?:人|客户|顾客|用户|买家)?)?"
    r"|(?:付[了完过][款钱]|买了|买完|下了单)的(?:人|客户|顾客|用户|买家)"
    r"|\balready (?:paid|bought)\b|\b(?:people|customers|shoppers) who (?:have )?(?:paid|bought)\b|(?<!non-)\bbuyers\b",
    re.A,
)

_DEPOSIT_PAID = re.compile(
    r"(?:付|交|下)(?:了|过|完)?(?:定金|订金|定)的?(?:人|客户|顾客|用户|买家|会员|那批|那些)"
    r"|\b(?:people|customers|those) who (?:have )?paid (?:a |the |their )?deposits?\b",
    re.A,
)


class DraftWish(Record):
    """`style` accumulates over follow-ups (shorter twice is shorter still); None leaves the choice to the tool. `adds`: the
    benefit comes on top of the last draft's."""

    style: list[str] = []
    benefit: str | None = None
    purpose: str | None = None
    variants: int | None = None
    adds: bool = False


def wants_draft(text: str, found: Sequence[Match], previous: Interpretation | None) -> bool:
    """Whether the (folded) question asks for a draft, or for a change of the last one."""
    intents = {v for m in found if (v := m.value("intent"))}
    if "draft" in intents:
        return True
    numbers = any(m.value("metric") or m.value("ambiguous_metric") for m in found)
    elsewhere = bool(intents & {"privacy", "elsewhere", "check", "review", "target", "brief", "phase", "help"})
    channel = any(m.value("channel") for m in found)
    if channel and not numbers and not elsewhere and not _QUESTION.search(text) and _names_a_piece(text, found):
        return True
    asks_else = intents - {"plan", "smalltalk"} or numbers
    if previous is None or previous.intent != "draft" or asks_else or len(text) > 60:
        return False
    again = channel and _ANOTHER_CHANNEL.search(text)
    return bool(again or _styles(text) or _BENEFIT.search(text) or _VARIANTS.search(text))


def _names_a_piece(text: str, found: Sequence[Match]) -> bool:
    """一句 push, 短信来一条; or people with a channel and what they are offered, how it is to sound, or that it goes to them."""
    if _PIECE.search(text):
        return True
    people = any(m.value("crowd") or m.value("ambiguous_crowd") or m.value("filter") for m in found)
    wished = _BENEFIT.search(text) or _styles(text) or _VARIANTS.search(text)
    return people and bool(wished or _SEND.search(text) or len(text) <= 12)


def read_wish(question: str, text: str, found: Sequence[Match]) -> tuple[DraftWish, str]:
    """(the wish, the folded question without the words that express it, places kept)."""
    spans: list[tuple[int, int]] = []
    names = [m for m in found if any(slot in ("crowd", "channel", "campaign", "filter") for slot, _ in m.meanings)]
    free = blanked(text, [(m.start, m.end) for m in names])
    benefits = list(_BENEFIT.finditer(free))
    spans += [m.span() for m in benefits]
    rest = blanked(free, spans)
    counted = _VARIANTS.search(rest)
    count = next((g for g in counted.groups() if g), None) if counted else None
    if counted:
        spans.append(counted.span())
    styles = _styles(rest)
    spans += [span for _, span in styles]
    purpose = _purpose(blanked(rest, spans))
    if purpose:
        spans.append(purpose[1])
    spans += _denied(text, found)
    wish = DraftWish(
        style=list(dict.fromkeys(name for name, _ in styles)),
        benefit="，".join(_as_written(question, m.group().strip()) for m in benefits) or None,
        purpose=purpose[0] if purpose else None,
        variants=_COUNTS.get(count) or int(count) if count else None,
        adds=bool(_ADDING.search(text)),
    )
    free = blanked(text, spans)
    if counted and "短信" in counted.group():  # 三条短信 counts the variants and names the channel
        at = counted.start() + counted.group().index("短信")
        free = f"{free[:at]}短信{free[at + 2 :]}"
    return wish, free


def _denied(text: str, found: Sequence[Match]) -> list[tuple[int, int]]:
    """The channels that are not to be used, each with its no, where another one is named: 不要短信，写push."""
    channels = [m for m in found if m.value("channel")]
    denied = [(no.start(), m.end) for m in channels if (no := DENIED.search(text[: m.start]))]
    return denied if len(denied) < len(channels) else []


def of_the_paid(out: Interpretation, text: str, lang: str) -> Interpretation:
    """Who has paid is the wave's buyers, where no other people are named: never the crowd that is reminded to pay. Who has paid
    a deposit is spoken to about the balance."""
    deposit = _DEPOSIT_PAID.search(text)
    said = deposit or _PAID.search(text)
    if said is None:
        return out
    key = "balance_due" if deposit else "wave_buyers"
    crowd = catalog.crowds()[key].name.get(lang)
    taken = prompts.text("draft.assumed_paid", lang, said=said[0], crowd=crowd)
    unused = [w for w in out.unused if w not in said[0]]
    return out.model_copy(update={"crowds": [key], "assumed": [*out.assumed, taken], "unused": unused})


def with_unmet(
    out: Interpretation, text: str, days: Iterable[tuple[int, int]], names: Iterable[str], *, today: bool
) -> Interpretation:
    """A draft is of the moment and of its own wording: what else was wished is told as not used.

    days: places of the days in the (folded) text; names: campaigns and phases other than the present; today: whether the days
    are today.
    """
    told = list(names)
    for start, end in days:
        until = _UNTIL.match(text, end)
        if until or not today:
            told.append(text[start : until.end() if until else end].strip())
    told += [m[0].strip() for m in _UNMET.finditer(text)]
    rest = [w for w in out.unused if not any(w in t for t in told)]
    return out.model_copy(update={"unused": list(dict.fromkeys([*told, *rest]))})


def _as_written(question: str, folded: str) -> str:
    """The words as the person wrote them, where folding changed no more than case."""
    at = question.lower().find(folded)
    return question[at : at + len(folded)] if at >= 0 else folded


def _styles(text: str) -> list[tuple[str, tuple[int, int]]]:
    """The ways of rewriting that are named, longest words first, with their places."""
    found: list[tuple[str, tuple[int, int]]] = []
    for style, pattern in _style_patterns():
        found += [(style, m.span()) for m in pattern.finditer(text)]
    return found


def only_restyles(text: str) -> bool:
    """再短一点: a wish about a text and nothing else."""
    spans = [span for _, span in _styles(text)]
    return bool(spans) and len(blanked(text, spans).strip(" ，,。.!！吧呢的")) < 3


@cache
def _style_patterns() -> list[tuple[str, re.Pattern[str]]]:
    return [(style, _any_of(group)) for style, group in words().draft_styles.items()]


def _purpose(text: str) -> tuple[str, tuple[int, int]] | None:
    """The purpose whose longest word stands in the text, and where."""
    hits = [(key, m.span()) for key, pattern in _purpose_patterns() for m in pattern.finditer(text)]
    return max(hits, key=lambda hit: hit[1][1] - hit[1][0], default=None)


@cache
def _purpose_patterns() -> list[tuple[str, re.Pattern[str]]]:
    return [(key, _any_of(p.aliases)) for key, p in copy_file().purposes.items() if p.aliases]


def _any_of(group: Iterable[str]) -> re.Pattern[str]:
    """Any of the words, the longest first; words of letters stand alone."""
    folded = sorted(map(fold, group), key=len, reverse=True)
    return re.compile("|".join(rf"\b{re.escape(w)}\b" if w.isascii() else re.escape(w) for w in folded), re.A)


def completed(
    out: Interpretation,
    wish: DraftWish | None,
    previous: Interpretation | None,
    previous_wish: DraftWish | None,
    *,
    named: bool,
    now: datetime,
    campaigns: tuple[Campaign, ...],
    lang: str,
) -> tuple[Interpretation, DraftWish]:
    """A draft's crowd and channel where the question leaves them open, and the wish on top of the last draft's.

    named: whether the question itself names people. Else they are those of the question before; without one today's main
    crowd, which is shown as assumed.
    """
    asked = wish or DraftWish()
    redraft = previous is not None and previous.intent == "draft"
    update: dict[str, object] = {"metrics": [], "period": None, "compare": None, "by": None}
    channel = out.channel or (previous.channel if previous and redraft else None) or "sms"
    update["channel"] = channel
    if not named:
        if previous is not None and (previous.filters or previous.crowds not in ([], ["all"])):
            update |= {"crowds": previous.crowds, "filters": previous.filters}
        else:
            crowd = _WHOSE.get(asked.purpose or "") or main_crowd(now, campaigns)
            name = catalog.crowds()[crowd].name.get(lang)
            update["crowds"] = [crowd]
            update["assumed"] = [*out.assumed, prompts.text("draft.assumed_crowd", lang, crowd=name)]
    if redraft and previous_wish is not None and previous is not None:
        # A crowd that was asked back is named in the answer, for the same request.
        same_crowd = not named or not (previous.crowds or previous.filters)
        asked = _on_top(asked, previous_wish, same_channel=channel == previous.channel, same_crowd=same_crowd)
    return out.model_copy(update=update), asked


def _on_top(new: DraftWish, old: DraftWish, *, same_channel: bool, same_crowd: bool) -> DraftWish:
    # How short a text is to be was said of that channel's text. What is offered to one crowd is offered to nobody else.
    kept = [s for s in old.style if s in _LEFT_OUT or (same_channel and same_crowd)]
    both = new.adds and same_crowd and old.benefit and new.benefit
    return DraftWish(
        style=[*kept, *(s for s in new.style if s not in _LEFT_OUT or s not in kept)],
        benefit=f"{old.benefit}，{new.benefit}" if both else new.benefit or (old.benefit if same_crowd else None),
        purpose=new.purpose or (old.purpose if same_crowd else None),
        variants=new.variants or old.variants,
    )


def main_crowd(now: datetime, campaigns: tuple[Campaign, ...]) -> str:
    """Whom today's messages are mostly for, by the phase that the moment is in."""
    from tools.copy_slots import moments_at

    by_moment = copy_file().main_crowd
    return next(by_moment[m] for m in moments_at(campaign_for(now.date(), campaigns), now) if m in by_moment)
