"""Items and categories in a question: what people are said to have been in touch with (买过面霜的会员), and what numbers are
asked about by its title (云雾保湿面霜昨天卖了多少, 燕麦那款).

A title counts whole; a part of one counts where it is the part of no other, else the question is asked back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import prompts
from bot.answer import Interpretation
from bot.understanding.lexicon import Lexicon
from tools.filters import normal
from tools.metrics import splittable

_SHOWN = 5
_LONGEST = 40
_LEAST = 3  # characters of a part of a title that nothing marks as one
_FILLED = r"[^\s,，。;；、!！?？:：]"


@dataclass(frozen=True)
class Condition:
    """`filter` as expressions carry it, with `not ` before one turned round; `span` in the folded question. `near`: the words
    said of an item where they say more than being in touch with it (买过面霜). `subject`: nothing is said of people, the
    numbers of the item itself are asked for."""

    filter: str
    span: tuple[int, int]
    near: str | None = None
    subject: bool = False


@dataclass(frozen=True)
class Doubt:
    """`word` is a part of the titles of several items."""

    word: str
    titles: tuple[str, ...]
    span: tuple[int, int]


_TOUCHED = (
    r"买过|购买过|买了|下单过|拍过|入手过|用过|看过|浏览过|逛过|点过|加购过|加购了|收藏过|收藏了|接触过|关注过"
    r"|喜欢|想买|想要|看中|看上|种草|复购过|回购过|对"
)
_ABOUT_ITEM = re.compile(rf"(?P<verb>{_TOUCHED})(?P<what>{_FILLED}{{2,{_LONGEST}}}?)的")
_AROUND = re.compile(
    r"^(?:商品|这款|那款|类目|品类|我们的|[「《\"' ])+|(?:感兴趣|有兴趣|有意思|这款|那款|类目|品类|系列|[」》\"' ])+$"
)
_ABOUT_ITEM_EN = re.compile(
    r"\b(?:who|that)(?: have| has|'ve)? (?P<verb>bought|purchased|ordered|carted|viewed|saw|looked at|favou?rited|saved|liked?"
    r"|want|browsed|been in touch with)(?: the| our)? |\b(?P<verb2>interested in|buyers of|fans of|viewers of)(?: the| our)? ",
    re.A,
)
_PLAIN = ("接触过", "been in touch with")
_MARKED = re.compile(
    r"(?P<what>[\u4e00-\u9fff]{1,8}?)(?:那|这)(?:一|几)?(?:款|支|瓶|只|罐|盒|件|套|个(?:品|商品|产品|单品)|品)(?!式)"
)
_KIND = re.compile(r" ?(?:这个|那个)?(?:类目|品类|这一类|那一类|category)|类(?!型|似|目|别)")
_SPLIT = re.compile(r"(?:各|每|按|分)(?:个)?$")


def touched(text: str, lexicon: Lexicon, *, reply: bool) -> Iterator[Condition | Doubt]:
    """Items and categories that people are said to have been in touch with. `reply`: a title alone answers what was asked."""
    if reply and (named := lexicon.goods.get(text.strip(" 的呢。.?？!！"))):
        yield Condition(normal(*named), (0, len(text)))
        return
    for m in _ABOUT_ITEM.finditer(text):
        for end in _ends(text, m):
            goods = _goods(text[m.start("what") : end], lexicon)
            if goods is None:
                continue
            near = None if m["verb"] in _PLAIN else text[m.start() : end]
            span = (m.start(), end)
            yield Condition(goods, span, near) if isinstance(goods, str) else Doubt(*goods, span)
            break
    for m in _ABOUT_ITEM_EN.finditer(text):
        known = [title for title in lexicon.goods if text.startswith(title, m.end())]
        if known:
            title = max(known, key=len)
            start = m.start("verb") if m["verb"] else m.start("verb2")
            near = None if m["verb"] in _PLAIN else text[start : m.end() + len(title)]
            yield Condition(normal(*lexicon.goods[title]), (m.start(), m.end() + len(title)), near)


def subjects(text: str, lexicon: Lexicon, said: Sequence[tuple[int, int]]) -> Iterator[Condition | Doubt]:
    """Items and categories named without a word about people. `said`: places of words that mean something by themselves,
    which a part of a title does not touch."""
    if text.strip(" 的呢。.?？!！") in lexicon.goods:
        return  # a title alone says nothing where nothing was asked before
    taken: list[tuple[int, int]] = []
    for start, end in _titles(text, lexicon):
        kind = _KIND.match(text, end)
        if _SPLIT.search(text[:start]) or (kind is None and (start, end) in said):
            continue
        column, _ = lexicon.goods[text[start:end]]
        stop = kind.end() if kind and column == "category" else end
        taken.append((start, stop))
        yield Condition(normal(*lexicon.goods[text[start:end]]), (start, stop), subject=True)
    for m in _MARKED.finditer(text):
        if any(a < m.end() and m.start() < b for a, b in taken):
            continue
        for start in range(m.start("what"), m.end("what") - 1):
            goods = _goods(text[start : m.end("what")], lexicon)
            if goods is not None:
                span = (start, m.end())
                taken.append(span)
                yield Condition(goods, span, subject=True) if isinstance(goods, str) else Doubt(*goods, span)
                break
    yield from _only_parts(text, lexicon, [*said, *taken])


def _titles(text: str, lexicon: Lexicon) -> Iterator[tuple[int, int]]:
    """Where whole titles and categories stand, the longer first where two overlap; letters and digits stand alone."""
    lengths = sorted({len(t) for t in lexicon.goods if len(t) > 1}, reverse=True)
    at = 0
    while at < len(text):
        fitting = (at + n for n in lengths if at + n <= len(text) and text[at : at + n] in lexicon.goods)
        end = next((e for e in fitting if _whole(text, at, e)), None)
        if end is None:
            at += 1
        else:
            yield at, end
            at = end


def _whole(text: str, start: int, end: int) -> bool:
    def joined(a: str, b: str) -> bool:
        return a.isascii() and b.isascii() and a.isalnum() and b.isalnum()

    return not (joined(text[start - 1 : start], text[start]) or joined(text[end - 1], text[end : end + 1]))


def _only_parts(text: str, lexicon: Lexicon, known: Sequence[tuple[int, int]]) -> Iterator[Condition]:
    """A stretch that no other word takes and that is a part of one title alone (乳木果昨天卖了多少)."""
    free = list(text)
    for start, end in known:
        free[start:end] = " " * (end - start)
    for m in re.finditer(r"[\u4e00-\u9fff]{3,}", "".join(free)):
        for length in range(min(len(m[0]), _LONGEST), _LEAST - 1, -1):
            part = m[0][:length]
            fitting = [t for known_as, (column, t) in lexicon.goods.items() if column == "item" and part in known_as]
            if len(fitting) == 1:
                yield Condition(normal("item", fitting[0]), (m.start(), m.start() + length), subject=True)
                break


def _ends(text: str, m: re.Match[str]) -> Iterator[int]:
    """Where the name of an item may end: before each 的 that follows (a title may hold one), the nearest first."""
    at = m.end() - 1
    while at != -1 and at - m.start("what") <= _LONGEST:
        yield at
        at = text.find("的", at + 1)


def _goods(said: str, lexicon: Lexicon) -> str | tuple[str, tuple[str, ...]] | None:
    """The filter of a category or an item so called or of the one item with such a title, the titles where several fit."""
    word = _AROUND.sub("", said)
    if len(word) < 2:
        return None
    if named := lexicon.goods.get(word):
        return normal(*named)
    fitting = [title for known, (column, title) in lexicon.goods.items() if column == "item" and word in known]
    if len(fitting) == 1:
        return normal("item", fitting[0])
    return (word, tuple(fitting[:_SHOWN])) if fitting else None


def counted(
    out: Interpretation, goods: Sequence[Condition], previous: Interpretation | None, overview: Sequence[str], lang: str
) -> Interpretation:
    """The numbers of an item or a category named as their subject are those of its own acts (`by` is its column, and the
    filter the one value shown); where that cannot be, they are those of whoever was in touch with it, and that is said."""
    subject = next((c for c in goods if c.subject), None)
    column = subject.filter.partition(":")[0] if subject else None
    if subject is None and previous is not None and previous.by in ("item", "category"):
        column = previous.by if previous.filters and set(previous.filters) <= set(out.filters) else None
    if column is None:
        return out
    metrics = [m for m in out.metrics if m != "crowd_size"]
    if out.intent == "metric" and out.by in (None, column) and all(splittable(m, column) for m in metrics):
        return out.model_copy(
            update={"by": column, "metrics": metrics or [m for m in overview if splittable(m, column)]}
        )
    said = subject.filter.partition(":")[2].strip('"') if subject else None
    near = [prompts.text("filter.near", lang, said=said)] if said and out.intent in ("metric", "crowd", "plan") else []
    return out.model_copy(update={"assumed": [*out.assumed, *near]})
