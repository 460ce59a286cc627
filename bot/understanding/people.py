"""Which people a question names: crowds at once (老客里的会员), apart (会员和新客) or left out (除了上海和北京)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.understanding.crowd_words import keys_of
from bot.understanding.lexicon import Match
from knowledge import catalog

_REACH = 12  # characters between two crowds that are said of one another
_FAR = 28  # … where a word between them says so
# 除了 and its like reach over a list; 非 and 不是 hold for the next word only.
_LEFT_OUT = (
    r"除(?:了|开|去|掉)?|(?:过滤|筛|拿|踢|剔|排|摘|删|减|撇|甩|丢)掉|剔了|踢出去?|刨(?:去|掉|除|开)|撇(?:开|去|掉)|"
    r"抛(?:开|去|掉)|扣(?:掉|除|去)|去掉|减去|排除|剔除|不含|不包括|不包含|不算上?|不看"
    r"|(?<!要)不要|别算|别看|\bexcept(?: for)?|\bexclud(?:ing|e|es)|\bother than|\bwithout|\bapart from|\baside from|\bbesides"
    r"|\b(?:anyone|everyone|everybody|anybody|all|nobody) but|\bminus|\bleav(?:e|ing) out|\bignor(?:e|ing)|\bdisregarding"
    r"|\b(?:remov|tak)(?:e|ing) out|\bremov(?:e|ing)|\b(?:drop(?!ped)|filter|kick|cut|strip|weed|throw)(?:ping|ing)?(?: out)?|"
    r"\bnot counting|\bleave out|\bskip"
)
_IS_NOT = r"(?<!是)不是|不属于|并非|没在|不在|\bnot|\b(?:are|is|were|was)n't|\b(?:are|is|were|was)nt"
_ARTICLE = (
    r"(?: ?(?:ones|people|folks|customers|guys|users|anyone|anybody|everyone|who|that|with|the|our|any|those|"
    r"these|an?|from|in|based in|living in|所有|全部|来自|住在|在|那些|这些|我们的?))*"
)
_BEFORE = re.compile(rf"(?P<out>{_LEFT_OUT})?(?P<is>{_IS_NOT})?(?P<non>非|\bnon)?{_ARTICLE}\s*$", re.A)
_AFTER = re.compile(
    r"\s*(?:的)?(?:人|地区|那边)?(?:以外|之外|除外|不算在内|不算|不包括在内|不在内|不计"
    r"|(?:are |were )?(?:excluded|left out)|aside\b|apart\b"
    r"|(?:都|也|全|先|再|给我?|一起|统统|全部)*(?:去掉|去除|排除|排掉|剔除|剔掉|剔了|刨掉|刨除|扣掉|扣除|减掉|拿掉|"
    r"过滤掉|筛掉|踢掉|踢出去|除外|删掉|不要|别算|不用算)掉?"
    r"(?=$|[ ,，。.!！?？了吧呢呗啊看再后之以还有])|(?:out|off)(?: please)?$)",
    re.A,
)
_LIST = re.compile(r"\s*(?:和|、|以及|及|或者?|跟|与|and|or|nor|&|/)\s*(?:the |in |from )?")
_OF = re.compile(
    r"里|中(?!间)|当中|其中|的\s*$|之内|\b(?:who|that|which|with|of|among|amongst|within|in)\b|\bare\b|\bwere\b", re.A
)
_AT_ONCE = re.compile(
    r"里|中(?!间)|当中|其中|又|且|同时|但|却|并(?!列)|也(?:是|算|属于)|还(?:是|得是|要是|属于)|同为|兼"
    r"|\b(?:who|that|with|among|amongst|of the|of those|of them|but|while being|as well as being|and also|also)\b"
    r"|\band (?:are|have|were)\b",
    re.A,
)
_DOUBLE_BEFORE = re.compile(
    r"(?:同时|既然?|又|双重|兼)(?:都|也)?(?:是|为|算|属于|在|有)?\s*$"
    r"|\b(?:are|being|were|is) both\s*$|\bat once\s*$",
    re.A,
)
_DOUBLE_AFTER = re.compile(
    r"\s*(?:的)?(?:两个?)?(?:人群)?(?:都是|都占|重合|重叠|交集|双重|两头都|兼有)|\s*(?:overlap|at the same time|at once)"
)
_ATTRIBUTE = re.compile(r"的?[、,，]\s*[且又还也而]*(?:人|家|住|现|常)?(?:在|是|来自)?\s*的?\s*")
_APART = re.compile(r"[,，、/;；&+]|\bvs\b|\bversus\b|对比|还是", re.A)
# 会员 粉丝 老客都来一下: a list without a word between.
_EACH_OF = re.compile(
    r"(?: (?:会员|粉丝|老客|新客))*(?: ?的)? ?(?:都(?!是|算|属|占|有(?!多少|几))|各|分别|分开|各自|全都(?!是|算))|"
    r"(?: (?:会员|粉丝|老客|新客))+$"
)
_SAID = re.compile(r"\s*(?:的|who|that)")

# What would be lost without a word: things that people did not do, and numbers and days inside a description.
_DID_NOT = re.compile(r"(?:没有?|未|不)(?:来|买|付|看|用|动|领|去|到|回|逛|点)(?:过|了)?的")
_QUALIFIER = re.compile(
    r"(?:\d+|[一二两三四五六七八九十半几]+)\s?(?:个)?(?:多)?(?:天|周|星期|月|年|小时|次|单|件|元|块|款)(?:以上|以内|内)?"
    r"|(?:昨|前|今)[天晚日]|\d+ (?:days?|weeks?|times|items?)"
)


def negated(match: Match, matches: Sequence[Match], text: str) -> bool:
    """非会员, 不是会员的, 除了上海和北京, 会员以外, not members, non-members, anyone but fans."""
    before = _said_before(match, text)
    if before and (before["out"] or before["is"] or before["non"]):
        return True
    return bool(_AFTER.match(text, match.end)) or _in_list_left_out(match, matches, text)


def _said_before(m: Match, text: str) -> re.Match[str] | None:
    return _BEFORE.search(text[max(0, m.start - _FAR) : m.start])


def _in_list_left_out(match: Match, matches: Sequence[Match], text: str) -> bool:
    """Whether it goes on a list that was left out (除了上海和北京)."""
    people = [m for m in matches if m.value("crowd") or m.value("filter")]
    at = people.index(match) if match in people else 0
    if not at or not _LIST.fullmatch(text[people[at - 1].end : match.start]):
        return False
    first = _said_before(people[at - 1], text)
    return bool(first and first["out"]) or _in_list_left_out(people[at - 1], matches, text)


def crowds(matches: Sequence[Match], text: str) -> list[str]:
    """The crowds named, as expressions; what is joined stands apart, what is said of one another holds at once.

    加购没付款的会员和粉丝 is two crowds: what was said first is said of both.
    """
    out: list[str] = []
    run: list[int] = []  # the places in `out` of what is listed together
    head: str | None = None  # what all of a list are, where it was said before the list
    last: Match | None = None
    for m in (m for m in matches if m.value("crowd")):
        keys = _said(m, matches, text)
        if last is None or len(keys) > 1:
            run, head = [len(out)], None
            out += keys
        elif _corrects(last, m, matches, text):
            continue
        elif _both(last, m, matches, text) and not _nobody(out[-1], keys[0]):
            between = text[last.end : m.start]
            if len(run) > 1 and all(is_panel(out[i]) for i in run) and (_OF.search(between) or not is_panel(keys[0])):
                for i in run:
                    out[i] = _narrower(out[i], keys[0])
            else:
                head = out[-1] if _OF.search(between) or not is_panel(out[-1]) else None
                head = head if is_panel(keys[0]) else None
                out[-1] = _narrower(out[-1], keys[0])
        elif head is not None and is_panel(keys[0]) and m.start - last.end <= _REACH:
            run.append(len(out))
            out.append(_narrower(head, keys[0]))
        else:
            run, head = ([*run, len(out)] if m.start - last.end <= _REACH else [len(out)]), None
            out += keys
        last = m
    return list(dict.fromkeys(out))


def _said(m: Match, matches: Sequence[Match], text: str) -> list[str]:
    keys = keys_of(m.value("crowd") or "")
    if not negated(m, matches, text):
        return keys
    return [k.removeprefix("not ") if k.startswith("not ") else f"not {k}" for k in keys]


def _both(last: Match, m: Match, matches: Sequence[Match], text: str) -> bool:
    """Whether both hold of the same people."""
    if m.start < last.end:
        return True
    if not is_panel(keys_of(last.value("crowd") or "all")[0]) and _attributes(last, m, matches, text):
        return True  # 领券没用、人在深圳的会员
    places = [(x.start, x.end) for x in matches if x.value("filter") and last.end <= x.start and x.end <= m.start]
    between = "".join(
        c for i, c in enumerate(text[last.end : m.start], last.end) if not any(a <= i < b for a, b in places)
    )
    if _AT_ONCE.search(between) and len(between) <= _FAR:
        return True
    if _LIST.fullmatch(between) and _in_list_left_out(m, matches, text):
        return True  # 除了会员和粉丝: neither
    if not between.strip() and _EACH_OF.match(text, m.end) and is_panel(m.value("crowd") or ""):
        return False
    joiner = any(x.value("joiner") is not None and last.end <= x.start < m.start for x in matches)
    if joiner or _APART.search(between):
        doubled = _DOUBLE_BEFORE.search(text[: last.start]) or _DOUBLE_AFTER.match(text, m.end)
        return bool(doubled) or (len(between) <= _REACH and _denied(m, text) and bool(_SAID.match(text, m.end)))
    return len(between) <= _REACH


def _attributes(last: Match, m: Match, matches: Sequence[Match], text: str) -> bool:
    """Whether what stands between says where the people live, or what was taken as a filter, as one more thing of them."""
    cities = [x for x in matches if x.value("filter") and last.end <= x.start and x.end <= m.start]
    between = list(text[last.end : m.start])
    for x in cities:
        between[x.start - last.end : x.end - last.end] = " " * (x.end - x.start)
    return "  " in "".join(between) and bool(_ATTRIBUTE.fullmatch("".join(between)))


def _corrects(last: Match, m: Match, matches: Sequence[Match], text: str) -> bool:
    """粉丝，不是会员: the second says only what the first is not."""
    between = text[last.end : m.start]
    return (
        bool(re.match(r"\s*[,，]", between))
        and len(between) <= _REACH
        and _denied(m, text)
        and not _SAID.match(text, m.end)
        and not negated(last, matches, text)
    )


def _denied(m: Match, text: str) -> bool:
    before = _said_before(m, text)
    return bool(before and before["is"])


def is_panel(expression: str) -> bool:
    """Whether an expression tells people apart by what they are (会员, 老客), not by what they did."""
    known = catalog.crowds()
    return all(known[p.removeprefix("not ")].kind == "panel" for p in expression.split(" and "))


def _narrower(expression: str, key: str) -> str:
    """Both at once; where one is a part of the other by definition (权益未核销会员 of 会员), the part alone."""
    within = {k: c.within for k, c in catalog.crowds().items()}
    if "all" in (expression, key):
        return key if expression == "all" else expression  # everyone but members
    parts = expression.split(" and ")
    if key in parts or any(within.get(p) == key for p in parts):
        return expression
    kept = [p for p in parts if within.get(key) != p]
    return " and ".join([*kept, key])


def _nobody(expression: str, key: str) -> bool:
    """Nobody is in both, so both at once cannot be meant: 新客老客, 会员非会员."""
    parts = expression.split(" and ")
    return any({p, key} == {"new", "old"} or p == f"not {key}" or f"not {p}" == key for p in parts)


def overlooked(matches: Sequence[Match], text: str, taken: Sequence[tuple[int, int]]) -> list[str]:
    """What changed nothing although it says who is meant: 没来的会员, 购物车里放了三天没付的. `taken`: places of days."""
    meant = [(m.start, m.end) for m in matches if any(slot != "filler" for slot, _ in m.meanings)]
    free = [m.span() for m in _DID_NOT.finditer(text) if not _touch(m.span(), [*meant, *taken])]
    inside = [(m.start, m.end) for m in matches if not m.described and any(slot != "filler" for slot, _ in m.meanings)]
    for gap in (gap for m in matches for gap in m.open):
        for q in _QUALIFIER.finditer(text[gap[0] : gap[1]]):
            span = (gap[0] + q.start(), gap[0] + q.end())
            free += [span] if not _touch(span, [*inside, *taken]) else []
    return [text[a:b] for a, b in sorted(free)]


def _touch(span: tuple[int, int], others: Sequence[tuple[int, int]]) -> bool:
    return any(a < span[1] and span[0] < b for a, b in others)
