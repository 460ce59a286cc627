"""What was understood, fitted to what can be computed: what no metric, tool or plan takes is told and not silently dropped."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime

import prompts
from bot.answer import Interpretation
from bot.understanding.campaign_time import MEMBER_DAYS
from bot.understanding.comparing import Compared, against_days
from bot.understanding.dates import PART_OF_DAY, Period, as_days, days_asked, find_period
from bot.understanding.slots import Slots
from knowledge import catalog
from tools.campaigns import Campaign
from tools.metrics import OF_ACTS, splittable

_ENDS = re.compile(
    r"(?:什么时候|几号|哪天)?(?:开始|结束|截止|开卖|距离|剩余?|还剩|尾款|属于|哪个|几波)+|starts?|begins?|ends?|due|left|until"
)
_GAP = re.compile(r"缺口|差距|补(?:多少|回|上|齐)|\bgap\b", re.A)
# Amounts that no metric gives; what the answer shows instead reads like them.
_UNCOUNTED = re.compile(
    r"(?:定金|订金)(?:一共|总共|今天|昨天)*(?:收|付|交)?了?(?:有)?多少(?!人|个|位|单|买家|客)|"
    r"(?:定金|订金)[^,，。；;？?]{0,6}(?:多少钱|金额|总额)|多少(?:钱)?的?(?:定金|订金)(?!人|买家|单)"
    r"|尾款[^,，。；;？?]{0,6}(?:多少钱|金额|总额)|多少(?:钱)?的?尾款(?!人|买家|单)|(?:多少|几个?)钱[^,，。；;？?]{0,4}尾款"
    r"|退款(?:了)?多少(?!人|个|位|单|率|比)|退(?:款|货)?了?(?:多少|几个?)钱|退款(?:的|总)?(?:金额|总额|额)(?!占|率)"
    r"|(?:deposits?|balances?|refund(?:s|ed)?) (?:amount|money|total)|how much (?:was|did we|have we|has been) refund\w*",
    re.A,
)
_AND_BEFORE = re.compile(r"(?:和|跟|与|及|、|还有|\band)\s*$", re.A)
_AND_BEHIND = re.compile(r"\s*(?:和|跟|与|及|、|还有|and\b)", re.A)
_FORECAST = re.compile(
    r"(?:预计|预估|估计|预测)(?:能|会|可以|大概)*(?:卖|做|成交|冲|跑|达)(?:到|成)?(?:多少|几|什么)"
    r"|(?:能|会|可以|大概)+(?:卖|做|成交|冲|跑|达)(?:到|成)?(?:多少|几|什么)(?!钱|块|元|一)"
    r"|(?:照|按)(?:这个?|现在|目前)?(?:的)?(?:速度|节奏|趋势)|(?:卖|做)得到多少"
    r"|\b(?:forecast|projected|projection|on pace for|at this (?:rate|pace)|will we (?:sell|make|do|hit)"
    r"|expected? (?:sales|revenue|gmv))\b",
    re.A,
)
_THIS_TIME = re.compile(
    r"昨[天日](?:的)?(?:这个?时候|这个?点|这会儿|此时|此刻|同一?时[间刻]|同时(?!段)|同期)|\b(?:this time|same time) yesterday\b"
    r"|\byesterday (?:at )?(?:this|the same) time\b",
    re.A,
)
_BOUGHT = re.compile(r"成交|支付买家|付款|下单|买|\bbuyers?\b|\bbought\b", re.A)
_WHY = re.compile(
    r"为(?:什么|啥|何)|(?:怎么|咋)(?:会|又|突然|就|这么|还)*(?:了|跌|掉|降|下[滑降来]|少|低|差|涨|升|高|多)|(?:什么|啥)原因|原因(?:是|在)"
    r"|(?:是)?因为(?:什么|啥)|\bwhy\b|\bwhat (?:caused|drove|explains|happened to)\b|\breasons? (?:for|behind)\b",
    re.A,
)
# 成交金额 = 访客 × 进店-支付比率 × 客单价; a rate over the whole way is the product of its steps.
_MADE_OF = {
    "paid_amount": ("visitors", "visit_pay_rate", "aov"),
    "buyers": ("visitors", "visit_pay_rate"),
    "paid_orders": ("visitors", "visit_pay_rate", "buyers"),
    "visit_pay_rate": ("visit_cart_rate", "cart_pay_rate"),
    "carters": ("visitors", "visit_cart_rate"),
    "cart_buyers": ("carters", "cart_pay_rate"),
    "deposit_buyers": ("visitors", "visit_deposit_rate"),
    "balance_buyers": ("deposit_buyers", "deposit_balance_rate"),
    "aov": ("paid_amount", "buyers"),
    "visitors": (),
}
_MOVED = re.compile(
    r"(?:so |this |that )?(?:drop|fall|fell|rise|rose|risen|low|high|down|up|bad|weak|dip|slip|grow|jump)\w*", re.A
)
_SENT = re.compile(r"触达|短信|消息|\bmessag|\boutreach\b|\btexts\b", re.A)
_TOUCHES = ["touch_sent", "touch_delivery_rate", "touch_click_rate", "touch_conversion_rate", "touch_roi"]


def of_channel(out: Interpretation, slots: Slots) -> Interpretation:
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


def of_the_presale(out: Interpretation, text: str) -> Interpretation:
    """预售定金收了多少人 counts those of the deposit, not all buyers as well."""
    narrow = [m for m in out.metrics if m in ("deposit_buyers", "balance_buyers")]
    if out.intent != "metric" or not narrow or "buyers" not in out.metrics or _BOUGHT.search(text):
        return out
    return out.model_copy(update={"metrics": [m for m in out.metrics if m != "buyers"]})


def sized(out: Interpretation, slots: Slots) -> Interpretation:
    """How many they are, split or compared, is a metric (会员按生命周期各多少人); so is what has its name: 活跃粉丝还有多少."""
    counted = not (out.crowds or out.filters) and any(m != "crowd_size" for m in out.metrics)
    people = out.metrics == ["crowd_size"] or (out.intent == "crowd" and out.crowds and not counted)
    if out.by in OF_ACTS and people and out.intent in ("crowd", "metric"):
        # One is in a crowd, not in it at nine or with an item; what people carted (加购没付的最多是哪几款) is told of them.
        known = catalog.crowds()
        told = out.by == "item" and any(c in known and known[c].cart for c in out.crowds)
        said = [] if told else [m.text for m in slots.matches if m.value("by")]
        return out.model_copy(update={"intent": "crowd", "by": None, "unused": [*said, *out.unused]})
    if out.intent != "crowd" or not (out.by or out.compare or counted):
        return out
    return out.model_copy(update={"intent": "metric", "metrics": out.metrics or ["crowd_size"]})


def of_the_calendar(out: Interpretation) -> Interpretation:
    """Words of beginning and end say nothing that the calendar does not: 离结束还有几天."""
    if out.intent != "phase":
        return out
    return out.model_copy(update={"unused": [w for w in out.unused if not _ENDS.fullmatch(w)]})


def the_gap(out: Interpretation, text: str) -> Interpretation:
    """What a rate could bring to the gap (进店率提一点缺口能补多少) is a lever of the sales target."""
    units = {catalog.metrics()[m].unit for m in out.metrics if m in catalog.metrics()}
    if out.intent != "target" or units != {"ratio"} or not _GAP.search(text):
        return out
    return out.model_copy(update={"metrics": ["paid_amount"]})


def why(out: Interpretation, text: str, lang: str) -> Interpretation:
    """为什么成交额跌了: the number with what it is made of, against the day before; a conversion with the steps in it."""
    asked = [m for m in out.metrics if m != "crowd_size"]
    if out.intent not in ("metric", "knowledge") or not _WHY.search(text) or len(asked) > 1:
        return out
    made_of = _MADE_OF.get(asked[0]) if asked else None
    if made_of is None:
        return out
    whole = out.period is None or out.period["from"] == out.period["to"]
    compare = out.compare or ("previous_day" if whole else "previous_window")
    unused = [w for w in out.unused if not _WHY.search(w) and not _MOVED.fullmatch(w)]
    assumed = [*out.assumed, prompts.text("asked.made_of", lang)]
    update = {"metrics": [asked[0], *made_of], "compare": compare, "unused": unused, "assumed": assumed}
    return out.model_copy(update={"intent": "metric", **update})


def _of_touches(metrics: Sequence[str]) -> bool:
    return bool(metrics) and all(m.startswith("touch_") for m in metrics)


def two_days(
    out: Interpretation, text: str, left: Sequence[tuple[int, int]], now: datetime, campaigns: tuple[Campaign, ...]
) -> tuple[Interpretation, Sequence[tuple[int, int]]]:
    """(16号和2号各多少: the later days against as many earlier ones, the days that are left over then)."""
    if out.intent != "metric" or out.compare or out.by or out.period is None or len(left) != 1:
        return out, left
    start, end = left[0]
    listed = _AND_BEFORE.search(text[:start]) or _AND_BEHIND.match(text, end)
    other = find_period(text[start:end], now, campaigns) if listed else None
    if other is None:
        return out, left
    first, last = days_asked(out.period)
    kind, days = against_days(Compared(None, other, (), ""), Period(first, last, ()), now.date())
    if kind is None or days is None:
        return out, left
    said = text[start:end]
    rest = [w for w in out.unused if w not in said and said not in w]
    period = as_days(days.first, days.last)
    return out.model_copy(update={"compare": kind, "period": period, "unused": rest}), []


def days_not_counted(out: Interpretation, text: str, left: Sequence[tuple[int, int]]) -> Interpretation:
    """Numbers are of whole days that follow one another: hours, and days apart from those counted, are told as not used."""
    if out.intent not in ("metric", "crowd"):
        return out
    several = MEMBER_DAYS.search(text) if out.compare is None else None
    hours = [m[0].strip() for m in PART_OF_DAY.finditer(text)]
    told = [
        *([several[0]] if several else []),
        *(text[a:b] for a, b in left if out.by != "hour" or not any(text[a:b].strip() in h for h in hours)),
        *(hours if out.by != "hour" else []),
    ]
    rest = [w for w in out.unused if not any(w in t for t in told)]
    return out.model_copy(update={"unused": list(dict.fromkeys([*told, *rest]))}) if told else out


def amount_not_counted(out: Interpretation, text: str, lang: str) -> Interpretation:
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


def joined_in(out: Interpretation) -> Interpretation:
    """新会员 of days that were named are who joined in them, not who is a new member at their end."""
    sized = out.crowds == ["new_member"] and set(out.metrics) <= {"crowd_size", "new_members"}
    several = out.period is not None and (out.intent == "metric" or out.period["from"] != out.period["to"])
    if not (sized and several and out.intent in ("metric", "crowd")) or out.by or out.compare:
        return out
    return out.model_copy(update={"intent": "metric", "crowds": ["all"], "metrics": ["new_members"]})


def forecast(out: Interpretation, text: str) -> Interpretation:
    """照这个速度到20号能卖多少: what the rest of the campaign brings is told by how far the target is."""
    if out.intent not in ("metric", "target", "knowledge", "unsupported") or not _FORECAST.search(text):
        return out
    unused = [w for w in out.unused if not re.search(r"速度|节奏|预计|预估|估计|pace|rate|forecast|expect", w)]
    metrics = [m for m in out.metrics if m in ("paid_amount", "buyers", "new_members")] or ["paid_amount"]
    return out.model_copy(update={"intent": "target", "metrics": metrics, "period": None, "unused": unused})


def this_time_yesterday(out: Interpretation, text: str, today: date) -> Interpretation:
    """昨天这个时候卖了多少: today so far, beside the same time of yesterday."""
    said = _THIS_TIME.search(text)
    if out.intent != "metric" or said is None or out.compare or out.by:
        return out
    unused = [w for w in out.unused if w not in said[0]]
    now = as_days(today, today)
    return out.model_copy(update={"period": now, "compare": "previous_day", "unused": unused})


def by_hour(out: Interpretation, text: str, lang: str) -> Interpretation:
    """昨晚8点以后的成交额: one day's numbers hour by hour, where they can be split so; else the hours are told."""
    hours = [m[0].strip() for m in PART_OF_DAY.finditer(text)]
    one_day = out.period is not None and out.period["from"] == out.period["to"]
    fits = bool(out.metrics) and all(splittable(m, "hour") for m in out.metrics)
    if out.intent != "metric" or not hours or not one_day or not fits or out.by or out.compare:
        return out
    unused = [w for w in out.unused if not any(w in h for h in hours)]
    assumed = [*out.assumed, prompts.text("asked.by_hour", lang)]
    return out.model_copy(update={"by": "hour", "unused": unused, "assumed": assumed})


def beside_target(
    out: Interpretation, previous: Interpretation | None, here: Campaign | None, today: date, lang: str
) -> Interpretation:
    """那成交人数呢 after the target of a campaign is of the same days, which are the campaign's so far."""
    if previous is None or previous.intent != "target" or out.intent != "metric" or out.period is not None:
        return out
    if here is None or not here.first <= today <= here.last:
        return out
    period = previous.period or as_days(here.first, today)
    assumed = [*out.assumed, prompts.text("when.campaign_so_far", lang)]
    return out.model_copy(update={"period": period, "assumed": out.assumed if previous.period else assumed})
