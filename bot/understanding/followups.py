"""How a question leans on the one before it in a conversation: 那粉丝呢, 其中会员有多少, 不是，我说的是老客, 不限城市, the day
before?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta

from bot.answer import Interpretation
from bot.understanding.dates import as_days, days_asked
from bot.understanding.refined import LEANING, refined, refines
from bot.understanding.slots import Slots
from knowledge import catalog

_THEM = re.compile(
    r"[他她它]们(?![家店])|(?:这|那|刚说的这|刚才那|上面那|前面那|上述)(?:些|批|群|拨|帮)(?:人|客人|客户|会员|用户|里)?(?!货|"
    r"商品|品|"
    r"词|话|数|指标|活动|城市)"
    r"|(?:这|那)(?:波|类|部分)(?:人|客人|客户|会员|用户)|\bthem\b|\bthey\b"
    r"|\b(?:those|these) (?:people|ones|guys|folks|customers|members)\b|\b(?:those|these)(?! \w+s\b| who)\b",
    re.A,
)
_WITHIN = re.compile(
    r"其中|这里头|这里面|这里边|(?:里头|里面|里边|当中|之中)(?=的|有|是|多少|几|会员|老客|新客|粉丝|[^,，]{0,4}(?:占|几))|"
    r"^(?:那|那么)?(?:会员|粉丝|老客|新客|非会员)(?:的)?占(?:了)?(?:多少|几成|多大|比(?!昨|前|上))|"
    r"^(?:里头|里面)|(?:这|那)(?:些|批|群|拨)(?:人|客户|会员)?(?:里|中)|\b(?:of|among|within|out of) (?:those|these|them|"
    r"which|that)\b",
    re.A,
)
_ONLY = re.compile(
    r"(?:只|光|单|就|仅)(?:独)?(?:看|要|算|统计|说|查|留|保留)|单拎|限定|缩小到|\b(?:just|only|limit(?:ed)? (?:it )?to|"
    r"restrict(?:ed)? (?:it )?to|narrow (?:it )?(?:down )?to|filter (?:it )?(?:by|to|on))\b",
    re.A,
)
_ONLY_ZH = re.compile(r"(?:只|光|单)(?:独)?(?:看|要|算|统计|说|查)")
_LEANS = re.compile(
    r"^(?:回到|还是|换回|改回|切回|恢复|那|再|换|另|然后|还有|接着|继续|同样|一样|改|行|好|嗯|哦|对|ok)|(?:拆|分|细分|"
    r"展开)(?:一下|开|到|成)|(?:单独|单拎|分开)(?:看|说|"
    r"列|复盘|算|拉|报|出|来|查|统计|给)|也(?:给|来|看|算|要|查|说|报)|的也|上面(?:那|说|的)|刚(?:才|刚|说)|前面(?:那|"
    r"说)|(?:那个|这个|一样的)(?:呢|$)|的话|"
    r"列出来|列一下$|呢$"
    r"|^(?:and|just|only|same|now|ok|okay|so|what about|how about|or|also|but|then)\b|\b(?:split|break|cut|slice|"
    r"show) (?:that|it|this|them)\b|\bhow does (?:that|it|this)\b|\binstead\b|\bsame (?:for|thing|but)\b|\bas well$|\btoo$",
    re.A,
)
# Another subject begins: nothing is carried over unless people are pointed at.
_ELSEWHERE = re.compile(
    r"^(?:对了|另外问|换个话题|换个事|话说|顺便|题外话|插一句|说个别的|问个别的|by the way|btw|unrelated|"
    r"different (?:question|topic)|on another note)|\bby the way\b",
    re.A,
)
_SIZE = re.compile(r"有多少|多少人|几个|多少个|几人|多少位|人数|how many|how big|size")
_COLUMN_WORDS = {
    "city": r"城市|地区|地域|区域|city|cities|region",
    "member_level": r"(?:会员)?等级|级别|层级|level|tier",
    "item": r"商品|单品|产品|款|品(?!类)|item|product|sku",
    "category": r"类目|品类|category",
    "channel": r"渠道|来源|channel",
    "day": r"天|日期|day",
    "hour": r"小时|时段|hour",
    "lifecycle": r"生命周期|lifecycle",
}
_OFF = (
    r"(?:不(?:用|要|再|必|需要)?(?:限定?|分|管|看|按|卡|区分|考虑|筛|挑)|别(?:限|分|按|管|卡|筛)(?:了)?|去掉|取消|撤掉|去除|"
    r"忽略|放开|拿掉|抛开|\b(?:drop|remove|without|ignore|forget|clear|regardless of|any|all|no)"
    r"(?: (?:the|a|that|this|those))?)(?:了)? ?(?P<w>{words})(?:ies|s)?(?: ?(?:限制|条件|筛选|filter|restriction|limit|split|"
    r"breakdown))?(?:了|的)?"
)
_DROPS = {column: re.compile(_OFF.replace("{words}", words), re.A) for column, words in _COLUMN_WORDS.items()}
_NATION = re.compile(
    r"全国|所有城市|全部城市|各地加起来|\b(?:nationwide|all cities|every city|everywhere|whole country)\b", re.A
)
# The shop as a whole after a part of it: 全店的, 那整个店呢.
_EVERYONE = re.compile(
    r"^(?:那|换成?|看|改成?)*(?:全店|整个?店|所有(?:人|客户)|全部(?:人|客户)|大盘)(?:的|呢|看看|一共|是|多少|[?？])*$"
    r"|^(?:and |what about |how about )*(?:the )?(?:whole|entire) shop\??$"
)
_NO_COMPARE = re.compile(
    r"(?:不(?:用|要|需要)?(?:再)?(?:对)?比|别(?:对)?比|去掉对比|不看对比)了?|\b(?:without|drop|no|skip) (?:the )?comparison\b",
    re.A,
)
_NO_SPLIT = re.compile(
    r"合计|汇总|加总|加起来|总共(?:是)?多少$|不用?拆(?:分|开)?|别拆|\b(?:in total|altogether|overall total|don't split|"
    r"no split)\b",
    re.A,
)
_DENIED = re.compile(
    r"^(?:不是|不对|没说|没问|我没说|不要|no,? ?not|not|no,? i didn't (?:mean|say|"
    r"ask)(?: about)?)[ ]?(?P<what>[^,，。;；]{1,16})[,，。;；] ?(?=我|要|是|应该|问|换|改|说|看|i |but|the |it's|rather|\S)"
    r"|^(?:不是|不对|no,? ?not|not) ?(?P<said>[^,，。;；]{1,16}?)(?: ?(?=我(?:说|问|要|指|想|看)|"
    r"而?是(?![什啥不谁哪多几否])|应该是|改成|换成)"
    r"| (?=要|i (?:mean|said|want|meant)|it's|rather|but ))"
)
_DAY_BEFORE = re.compile(
    r"(?:再)?(?:往)?前(?:推|挪|移|倒|翻)?一天|再前(?:一)?天|上一天|再早一天|(?:倒|退)回?去?一天|\bthe (?:day before|"
    r"previous day)\b(?! yesterday)|\bday prior\b|\b(?:one|a) day (?:earlier|prior|back)\b",
    re.A,
)
_DAY_AFTER = re.compile(
    r"(?:后|下|第二|次)一?天(?=呢|的|$)|次日|(?:再)?往后(?:推|挪|移)?一天|再(?:晚|后)一天|\bthe (?:day after|next day|"
    r"following day)\b(?! tomorrow)|\b(?:one|a) day later\b",
    re.A,
)
_WINDOW_BEFORE = re.compile(
    r"(?:再)?(?:往)?(?:前|上)(?:推|挪|移|倒|翻)?一(?:周|个?星期|个?礼拜|期|段)|(?:再往?|往)[前上](?:推|挪|移|倒|翻)?一?个?月|"
    r"再早一(?:周|个?星期|个?礼拜|个月)|\bthe (?:week|month|period|stretch) before\b",
    re.A,
)
_PERIOD_INTENTS = ("metric", "crowd", "target", "review")
_SLOT_INTENTS = ("crowd", "metric")
_ACTS = {"plan", "draft", "check", "privacy", "elsewhere", "brief", "review", "target"}


def points_at_people(text: str) -> bool:
    """他们, 这批人, them: the people of the question before."""
    return bool(_THEM.search(text))


def without_denied(text: str) -> tuple[str, bool]:
    """(the folded text without what it takes back, whether it takes something back): 不是跟前天，我问的是跟去年比."""
    m = _DENIED.match(text)
    if m is None:
        return text, False
    end = max(m.end("what"), m.end("said"))
    if re.search(r"吗$|\?$", text[:end]):
        return text, False
    return " " * end + text[end:], True


def follows_up(slots: Slots, new: Interpretation, text: str, *, denied: bool = False) -> bool:
    """Whether a question leans on the one before it: it says so, or it names only a part of a question."""
    if _ELSEWHERE.search(text) and not _THEM.search(text):
        return False
    negation = any(m.value("crowd") and slots.negated(m) for m in slots.matches)
    if (
        denied
        or (slots.has("correction") and not negation)
        or dropped(text)
        or (_NO_SPLIT.search(text) and not new.metrics)
    ):
        return True
    whole = bool(new.crowds and (new.period or new.compare) and [m for m in new.metrics if m != "crowd_size"])
    if (
        slots.has("followup")
        or _WITHIN.search(text)
        or _ONLY_ZH.search(text)
        or (_LEANS.search(text) and len(text) <= 60)
    ):
        return not whole
    if (_THEM.search(text) and not new.crowds) or (refines(new.crowds, text) and not whole):
        return True
    wish = [i for i in slots.intents if i not in _SLOT_INTENTS]
    if wish:
        return new.intent == "target" and not new.crowds and not new.period  # 够了吗: of the same days
    if "crowd" in slots.intents:
        return not new.crowds and len(text) <= 12  # 一共多少人来着
    if shifted(text, None) is not None and not new.period:
        return True
    subjects = bool(new.crowds) + bool(new.metrics)
    aspects = bool(new.period) + bool(new.compare or slots.has("compare")) + bool(new.by) + bool(new.filters)
    # "加购人数", "昨天呢", "按城市看昨天": a subject alone, or aspects of a subject said before.
    return len(text) <= 40 and (subjects + aspects == 1 or (aspects > 0 and not subjects))


def inherit(
    new: Interpretation, old: Interpretation, slots: Slots, text: str, *, picked: bool = False
) -> Interpretation:
    """What the new question leaves open is taken from the old one; naming another kind of thing changes the intent. `picked`: it
    is an option that was asked back."""
    gone = dropped(text)
    more = bool(slots.crowds or new.metrics or new.period or new.by or new.filters or gone)  # ok now only Hangzhou
    said = ("overview", "crowd", "metric", "knowledge", *(("smalltalk",) if more else ()))
    wish = [i for i in slots.intents if i not in said]
    intent = new.intent if wish else old.intent
    real = [m for m in new.metrics if m != "crowd_size"]
    within = bool(_WITHIN.search(text))
    counted = [m for m in old.metrics if m != "crowd_size"]
    if "crowd" in slots.intents and not real and not (within and old.intent == "metric" and counted):
        intent = "crowd"
    if real and intent != "metric" and not wish:
        intent = "metric"
    if old.intent in ("knowledge", "unsupported", "help", "smalltalk") and not wish:
        intent = new.intent
    if (new.compare or new.by) and (intent == "crowd" or (old.intent in _SLOT_INTENTS and not _ACTS & set(wish))):
        intent = "metric"
    metrics = new.metrics if real or (new.metrics and intent == "metric" and not within) else old.metrics
    by = new.by or (old.by if intent == "metric" and not new.compare else None)
    compare = new.compare or old.compare if intent == "metric" else None
    period = new.period or (shifted(text, old.period) if not new.compare else None) or old.period
    return new.model_copy(
        update={
            "intent": intent,
            "crowds": _people(
                new.crowds, old.crowds, text=text, within=within, only=bool(_ONLY.search(text)), picked=picked
            ),
            "metrics": metrics if intent in ("metric", "crowd", "target") else [],
            "period": period if intent in _PERIOD_INTENTS else new.period,
            "compare": None if _NO_COMPARE.search(text) else compare,
            "by": None if by in gone or (_NO_SPLIT.search(text) and not new.by) else by,
            "channel": new.channel or old.channel,
            "filters": _filters(new, old, gone, everyone=bool(_EVERYONE.search(text))),
        }
    )


def dropped(text: str) -> set[str]:
    """What a question takes away from the one before: 不限城市, 去掉等级, regardless of city."""
    out = {column for column, pattern in _DROPS.items() if pattern.search(text)}
    return out | ({"city"} if _NATION.search(text) else set())


def shifted(text: str, old: dict[str, str] | None) -> dict[str, str] | None:
    """The days one step from those asked about before (再前一天呢, the week before?); without `old` only whether it is asked."""
    steps = ((_DAY_BEFORE, -1, False), (_DAY_AFTER, 1, False), (_WINDOW_BEFORE, -1, True))
    for pattern, direction, window in steps:
        if not pattern.search(text):
            continue
        if old is None:
            return {}
        first, last = days_asked(old)
        if window and first.day == 1 and (last + timedelta(days=1)).day == 1 and direction < 0:  # a calendar month
            end = first - timedelta(days=1)
            return as_days(end.replace(day=1), end)
        length = timedelta(days=(last - first).days + 1)
        if not window and length.days > 1:
            continue
        return as_days(first + direction * length, last + direction * length)
    return None


def _people(new: Sequence[str], old: Sequence[str], *, text: str, within: bool, only: bool, picked: bool) -> list[str]:
    """The crowds now meant. 其中会员 are those of them who are members; 那粉丝呢 takes the place of what it can stand for."""
    if not new:
        return list(old)
    if picked and old and all(_panel(p) for e in old for p in e.split(" and ")) and not all(map(_panel, new)):
        return [
            " and ".join([*new, e]) if e != "all" else new[0] for e in old
        ]  # 没付款的会员 → 加购未付款: of the members
    if (together := refined(new, old, text)) is not None:
        return together
    if len(new) != 1 or len(old) != 1 or old == ["all"] or new == ["all"]:
        return list(new)
    parts, key = old[0].split(" and "), new[0]
    if " and " in key:
        return list(new)
    kept = [p for p in parts if not _opposite(p, key)]
    if len(kept) < len(parts):
        return [" and ".join([*kept, key])]
    states = [p for p in parts if not _panel(p)]
    if within:
        return [old[0] if key in parts else " and ".join([*parts, key])]
    if _panel(key) and states and (only or len(states) < len(parts)):
        return [" and ".join([*states, key])]  # 加购未付的会员有多少 → 粉丝呢; → 只看会员
    return list(new)


def _panel(key: str) -> bool:
    crowd = catalog.crowds().get(key.removeprefix("not "))
    return crowd is not None and crowd.kind == "panel"


def _opposite(a: str, b: str) -> bool:
    return a == f"not {b}" or b == f"not {a}" or {a, b} == {"new", "old"}


def _filters(new: Interpretation, old: Interpretation, gone: set[str], *, everyone: bool) -> list[str]:
    """A filter named takes the place of one on the same column; a level says who is meant and goes with its crowd."""
    if new.intent == "phase" or everyone:
        return new.filters
    named = {_column(f) for f in new.filters}
    away = named | gone | ({"member_level"} if new.crowds and not {"member", "not member"} & set(new.crowds) else set())
    return [*(f for f in old.filters if _column(f) not in away), *new.filters]


def _column(condition: str) -> str:
    return re.split(r"[:<>=]", condition.removeprefix("not "), maxsplit=1)[0].strip()


def leaning_words(text: str, *, refining: bool) -> list[str]:
    """The words by which a message leans on the one before it; they are understood and not left over."""
    patterns = (
        *_DROPS.values(),
        _NATION,
        _NO_COMPARE,
        _NO_SPLIT,
        _DAY_BEFORE,
        _DAY_AFTER,
        _WINDOW_BEFORE,
        _WITHIN,
        _ONLY,
        _LEANS,
        _THEM,
        *(LEANING if refining else ()),
    )
    return [m[0] for pattern in patterns for m in pattern.finditer(text)]
