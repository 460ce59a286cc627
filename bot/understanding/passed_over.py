"""What an answer would pass over in silence although the question says it of people: a product in a cart (加购了防晒没付款),
days that a crowd does not know (近 3 天加购未付款), of whom a part is asked for (付定金的人里有多少老客)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import prompts
from bot.answer import Interpretation
from bot.understanding.crowd_words import keys_of
from bot.understanding.goods import Condition
from bot.understanding.lexicon import Match, Slot
from bot.understanding.people import is_panel
from knowledge import catalog

_OF_PEOPLE: tuple[Slot, ...] = ("crowd", "ambiguous_crowd", "filter")
_SAYS_SOMETHING = re.compile(r"[\u4e00-\u9fff0-9a-z]{2}")
# What stands between what people did and what they did not, and says nothing more of whom is meant.
_NOTHING = (
    r"但是?|可是?|却|还是?|一直|就是?|迟迟|结果|仍然?|到现在|现在|至今|又|也|都|然后|后来?|之后|以后|最后|而且?|偏偏|死活|愣是"
    r"|不过|只是|尚|目前|至于|从来|始终|到底|最终|依然|依旧|竟然?|居然|并且?|且|没|未"
    r"|东西|商品|宝贝|产品|货品?|物品|好多|很多|不少|一堆|一些|几[件款样个]|满满?|了|过|着|的|完|在|里|中|进|到|这|那|是"
    r"|些|批|拨|波|群|人|们|客户|用户|顾客|买家|会员|粉丝|老客|新客|加购|加车|收藏|购物车|车|付|款|钱|买|单"
    r"|本波|活动|大促|优惠|权益|挑战|尾款|定金|订金|他|她|我|店铺?|家|和|或者?|与|跟|及|给|把|被|有|等|个|件|来|去|捏|手[里上头]|在手|报了?名"
)
_SAYS_NOTHING = re.compile(rf"^(?:{_NOTHING}|\s)+|(?:{_NOTHING}|\s)+$")
_ENGLISH = re.compile(r"[a-z][a-z']+")
_SAYS_NOTHING_EN = re.compile(
    r"but|and|yet|who|that|ha(?:ve|s|d)|did|do|does|not|never|they|them|their|it|its|the|an?|any|some|of|to|in|on|at|for|from|with"
    r"|or|then|still|ever|actually|just|even|(?:some|any|no)?things?|sth|items?|stuff|products?|goods|people|customers|members"
    r"|carts?|baskets?|left|added|put|our|us|we|is|are|was|were|been|being|out|up|so|far|no|one|nothing|all|those|these|there"
    r"|what|which|while|without|favou?rites|wave|this|sitting|lying|\w+n't",
    re.A,
)
_LEFT_IN_CART = re.compile(
    r"\b(?:left|leave|leaving|abandon\w*|forgot|dumped|ditch\w*|put|got|have|has) (?P<what>[a-z' ]{3,24}?) (?:in|inside) "
    r"(?:their|the|a|our) (?:\w+ )?(?:cart|basket|trolley|bag)",
    re.A,
)
_SEVERAL_DAYS = re.compile(
    r"(?:最?近|过去|这|前|上)(?:[一二两三四五六七八九十半几]|\d)+(?:来)?(?:天|日|周|个?星期|个?礼拜|个?月)"
    r"|(?:last|past) .*(?:days|weeks?)"
    r"|[上本这](?:一)?(?:周|个?星期|个?礼拜|个?月)|this (?:week|month)|last month"
)
_THIS_YEAR = re.compile(r"今年|本年度?|年内|\bthis year\b", re.A)
_AND_UP = re.compile(r"(?:及|或|和|、)?(?:以上|以下)|\s(?:and|or) (?:above|up|higher|below|lower)\b", re.A)
_FAVOURITE = re.compile(r"收藏|favou?rit|\bsaved\b|wish ?list", re.A)
_CARTED = re.compile(r"加[购车藏收了过]|购物车|\bcart|basket", re.A)
_WORST = re.compile(
    r"最(?:差|少|低|惨|冷门|慢|不好卖|难卖)|垫底|倒数|滞销|\b(?:worst|least|lowest|slowest|fewest|poorest|bottom)\b",
    re.A,
)
_PART_OF = re.compile(
    r"(?P<who>[^\s,，。;；?？!！]{2,12}?)的(?:那些|这些|那批|这批)?(?:人|客人|顾客|客户|用户|买家)(?:里面|里头|里|当中|之中|其中|中(?!间))"
)
_PART_OF_EN = re.compile(
    r"\b(?:among|amongst|out of|of) (?:(?:all|the|those|these) )+(?:(?:people|customers|shoppers|ones|buyers) )?(?:who|that) "
    r"(?:have )?(?P<who>[a-z]+(?: (?!how)[a-z]+){0,3}?)(?=[,?]| how many| were\b| are\b|$)",
    re.A,
)
_RATIO = ("cart_buyers", "cart_paid_amount")


def told(
    out: Interpretation,
    text: str,
    matches: Sequence[Match],
    days: Sequence[tuple[int, int]],
    conditions: Sequence[Condition],
    question: str,
    lang: str,
) -> Interpretation:
    """`out` with what its answer would pass over. `text`: the folded question without its conditions; `days`: their places in
    it; `question`: the folded question as it was asked."""
    if out.intent not in ("metric", "crowd", "plan", "draft"):
        return out
    left = [*_inside(text, matches, days), *_levels(text, matches), *_days(out, text, matches, days)]
    if out.intent in ("metric", "crowd"):
        left += _part_of(out, text, matches, days)
    if out.intent == "metric" and out.by in ("item", "category", "city") and (worst := _WORST.search(text)):
        left.append(worst[0])  # a list is cut at its end, and the best stands first
    left = [w for w in dict.fromkeys(left) if not any(w in said for said in out.unused)]
    assumed = [t for t in _taken_for(out, matches, conditions, question, lang) if t not in out.assumed]
    if not (left or assumed):
        return out
    return out.model_copy(update={"unused": [*left, *out.unused], "assumed": [*out.assumed, *assumed]})


def _inside(text: str, matches: Sequence[Match], days: Sequence[tuple[int, int]]) -> Iterator[str]:
    """Words inside a description of people that no rule took up."""
    for m in matches:
        if not m.described:
            continue
        for start, end in m.open:
            inner = [(x.start, x.end) for x in matches if x is not m] + list(days)
            free = "".join(
                " " if any(a <= i < b for a, b in inner) else c for i, c in enumerate(text[start:end], start)
            )
            if re.search(r"[\u4e00-\u9fff]", free):
                parts = (_SAYS_NOTHING.sub("", part) for part in re.split(r"[\s,，]+", free))
                yield from (w for w in parts if len(w) > 1 and _SAYS_SOMETHING.search(w))
            else:
                words = [w for w in _ENGLISH.findall(free) if not _SAYS_NOTHING_EN.fullmatch(w)]
                yield from words
        for p in _LEFT_IN_CART.finditer(m.text):
            yield from (w for w in p["what"].split() if not _SAYS_NOTHING_EN.fullmatch(w))


def _levels(text: str, matches: Sequence[Match]) -> Iterator[str]:
    """高级会员以上: the level alone is counted."""
    for m in matches:
        if (m.value("filter") or "").startswith("member_level:") and (more := _AND_UP.match(text, m.end)):
            yield more[0].strip()


def _days(out: Interpretation, text: str, matches: Sequence[Match], days: Sequence[tuple[int, int]]) -> Iterator[str]:
    """Who belongs to a crowd is known at one moment: several days say nothing of it."""
    for start, end in days:
        if not _SEVERAL_DAYS.search(text[start:end]):
            continue
        # 近3天加购未付款的, 加购未付款近3天的, 加购了近3天没付款的
        before = any(
            m.value("crowd")
            and not is_panel(keys_of(m.value("crowd") or "")[0])
            and (
                0 <= m.start - end <= 2 or (m.end == start and text[end : end + 1] == "的") or m.start <= start < m.end
            )
            for m in matches
        )
        if (out.intent == "crowd" and out.by is None and out.compare is None) or before:
            yield text[start:end].strip()


def _part_of(
    out: Interpretation, text: str, matches: Sequence[Match], days: Sequence[tuple[int, int]]
) -> Iterator[str]:
    """付定金的人里有多少老客: no number of ours is of those people alone."""
    if any(k.endswith("_rate") or k in _RATIO for k in out.metrics):
        return
    for p in [*_PART_OF.finditer(text), *_PART_OF_EN.finditer(text)]:
        start, end = p.span("who")
        if not any(m.start < end and start < m.end and any(m.value(s) for s in _OF_PEOPLE) for m in matches):
            dated = [b for a, b in days if start <= a and b <= end]
            yield text[max([start, *dated]) : end].strip()


def _taken_for(
    out: Interpretation, matches: Sequence[Match], conditions: Sequence[Condition], question: str, lang: str
) -> Iterator[str]:
    """What the words are taken for, where they say less or more than what is counted."""
    parts = {p for expression in out.crowds for p in expression.split(" and ")}
    if "cart_fav_unpaid" in parts and any(
        (m.value("crowd") or "") == "cart_fav_unpaid" and _FAVOURITE.search(m.text) and not _CARTED.search(m.text)
        for m in matches
    ):
        yield prompts.text("asked.favourites", lang)
    if (year := _THIS_YEAR.search(question)) and any("_amount:" in c.filter for c in conditions):
        yield prompts.text("asked.year_back", lang, said=year[0])
    known = catalog.crowds()
    for expression in out.crowds:
        both = expression.split(" and ")
        for p in both:
            if p in known and known[p].within is not None and f"not {known[p].within}" in both:
                whole = known[known[p].within or ""].name.get(lang)
                yield prompts.text("asked.nobody", lang, crowd=known[p].name.get(lang), whole=whole)
