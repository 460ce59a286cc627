"""How a message goes on working at what was asked before it: people left out, added, taken back in or narrowed further
(再去掉拒收短信的, fans too, 把会员加回来, 还得是老客), and what share of something the number before is (占进店的几成)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.understanding.acts import acts
from knowledge import catalog

_BACK_IN = re.compile(
    r"(?:加|放|算|捞|拿|收|补)(?:了)?回(?:来|去)?|恢复|(?:add|put|bring|take) (?:\w+ ){0,4}back|back in\b|\bre-?include",
    re.A,
)
_ADDED = re.compile(
    r"(?:也|都|再|一起|一并|一块儿?|顺便)?(?:加上|加进|加入(?=来|进|名单)|算上|算进|带上|捎上|并上|并进|合上|包括进|"
    r"包含进|纳入|含上)|"
    r"再加(?=会员|粉丝|老客|新客)|(?:也|都)(?:一起|一并|一块儿?|一道)(?:算|看|报|查|放)|合在一起|合并(?:在一起)?"
    r"|\b(?:include|plus|add|along with|together with|as well as|combined with)\b",
    re.A,
)
_ALSO = re.compile(
    r"^(?:而且|并且|同时|还(?:得|要|必须|需要?)|也?(?:得|必须|要)(?:同时)?是|再(?:叠加?|加个?条件|卡|限|筛|缩)|叠加|"
    r"且|里面要|条件再加)|"
    r"(?:叠加|再叠|再卡|再筛)|加(?:一)?个条件|^(?:and |but )?(?:also|must (?:also )?|they must)\b|^(?:and|but) (?:who|"
    r"that) (?:are|have)\b",
    re.A,
)
EXCLUDES = re.compile(
    r"去掉|去除掉?|排除掉?|排掉|剔除掉?|剔掉|剔了|刨|扣掉|扣除|减去|减掉|撇|除去|除掉|除开|除了|不算|别算|不要|不含|不包括|"
    r"过滤|筛掉|筛出去|拿掉|踢|摘|抛|删|"
    r"\b(?:exclud\w+|without|minus|less|drop|remove|take out|except|leav\w+ out|filter out|kick out|skip|but not|"
    r"not counting|other than|"
    r"ignor\w+)\b",
    re.A,
)
_UNBOUND = re.compile(
    r"(?:这个|那个|的)?(?:条件|限制|限定|筛选)(?:就|也|先)?(?:都|给我)?(?:拿掉|去掉|取消|撤|不要|放开|去除|删)"
)
# What a share is of, by the act of those people (knowledge/metric_words.yaml), `crowd` the people themselves, `sales` the shop's.
_WHOLE = {
    "visit": r"进店|来店|到店|来的|来访|来逛|访客|逛|浏览|流量|uv|visit\w*|traffic|those who came",
    "cart": r"加购|加车|加了?购物车|购物车|carters?|carts?|those who carted",
    "deposit": r"(?:付|交|下)?了?(?:定|订)金|deposits?(?: payers?| buyers?)?",
    "buy": r"买家|买了?|付款|付钱|下单|成交|支付|buyers?|orders?|those who (?:paid|bought)",
    "send": r"发(?:出去|出|送)?了?|触达|发送|推送|sent|messages sent",
    "deliver": r"送达|收到|delivered",
    "crowd": r"全部|所有|总(?:人数|数)?|整个?|整体|全体|人群|(?:会员|粉丝|老客|新客)(?:总(?:人)?数?|总量|大盘|全体)?|"
    r"自己|the (?:whole )?(?:crowd|group|lot)|all(?: of them)?|everyone|"
    r"members|fans|them",
    "sales": r"全店|店里|大盘|整店|盘子|总(?:成交|销售)?(?:金?额|盘)|全部(?:成交|销售)额?|the (?:whole )?shop|shop|"
    r"total(?: sales| revenue)?|"
    r"all sales|overall",
}
_SHARE = re.compile(
    r"(?:^|[,，那又就也这数人大概约是在])(?:占|除以|比上|相当于|是)(?:了|到|全部|所有|总|整个|这些|"
    r"那些)*(?P<of>[^,，。？?占几]{1,10}?)"
    r"(?:的|里|中)*(?:面|头)?(?:大概|约|一共)?"
    r"(?:几成|几|百分之?[几多]少?|多少|比例|比重|占?比|多大|几分之几|(?<!是)(?:人|数|店|购|车)(?=[?？]|$))"
    r"|\b(?:as|what) (?:an? |the )?(?:share|%|percent(?:age)?|pct|fraction|proportion|portion) of (?:all )?(?:the |"
    r"our )?(?P<en>[a-z ]{3,24}?)(?= (?:is|are|was|were|does|did|do|that|this|it|they)\b| ?[?,.]|$)"
    r"|\b(?:out of|over|divided by)(?: all)?(?: the| our)? (?P<over>[a-z ]{3,24}?)(?= (?:is|are|was|were|that|this|"
    r"it)\b| ?[?,.]|$)",
    re.A,
)
# Whose number a metric is, for the share that it is of others.
_STAGE = {
    "buyers": "buy", "carters": "cart", "deposit_buyers": "deposit", "balance_buyers": "balance", "visitors": "visit",
    "cart_buyers": "cart_buy", "touch_sent": "send",
}  # fmt: skip
_OF_CROWD = {"buyers": "conversion_rate", "visitors": "visit_rate"}
LEANING = (_BACK_IN, _ADDED, _ALSO, EXCLUDES, re.compile("(?:这个)?条件", re.A), _UNBOUND, _SHARE)
_SHORT = 40  # characters of a message that only goes on


def refines(new: Sequence[str], text: str) -> bool:
    """Whether the people named change those of before instead of standing for themselves."""
    if not new or len(text) > _SHORT:
        return False
    return (_denied(new) and bool(EXCLUDES.search(text))) or bool(
        _UNBOUND.search(text) or _BACK_IN.search(text) or _ADDED.search(text) or _ALSO.search(text)
    )


def refined(new: Sequence[str], old: Sequence[str], text: str) -> list[str] | None:
    """The people now meant where `new` leaves some of `old` out, adds to them, takes them back in or narrows them; else None."""
    if not old or len(text) > _SHORT:
        return None
    if _BACK_IN.search(text):
        away = {f"not {p.removeprefix('not ')}" for e in new for p in e.split(" and ")}
        kept = [" and ".join(p for p in e.split(" and ") if p not in away) or "all" for e in old]
        return kept if kept != list(old) else list(dict.fromkeys([*old, *(e for e in new if not e.startswith("not "))]))
    if _UNBOUND.search(text) and all(n in e.split(" and ") for n in new for e in old):
        return [" and ".join(p for p in e.split(" and ") if p not in new) or "all" for e in old]
    if _denied(new):
        return [_both(e, new) for e in old] if _excludes(text) else None
    if _ALSO.search(text) and list(old) != ["all"]:
        return [_both(e, new) for e in old]
    if _ADDED.search(text) and list(old) != ["all"]:
        return list(dict.fromkeys([*old, *new]))
    return None


def _excludes(text: str) -> bool:
    return bool(EXCLUDES.search(text))


def _denied(new: Sequence[str]) -> bool:
    return bool(new) and all(p.startswith("not ") for e in new for p in e.split(" and "))


def _both(expression: str, new: Sequence[str]) -> str:
    """All of `new` on top of the expression; what they say the opposite of gives way."""
    parts = [] if expression == "all" else expression.split(" and ")
    within = {k: c.within for k, c in catalog.crowds().items()}
    for key in (p for e in new for p in e.split(" and ")):
        opposite = key.removeprefix("not ") if key.startswith("not ") else f"not {key}"
        parts = [p for p in parts if p != opposite]
        if key not in parts and not any(within.get(p) == key for p in parts):
            parts.append(key)
    return " and ".join(parts)


def share_of(text: str, counted: Sequence[str]) -> str | None:
    """The ratio of the number asked about before to what a message names, 占进店的几成; None where no metric is that."""
    m = _SHARE.search(text) if len(text) <= _SHORT else None
    if m is None or len(counted) != 1:
        return None
    said = (m["of"] or m["en"] or m["over"]).strip()
    whole = next(
        (key for key, words in _WHOLE.items() if re.fullmatch(rf"(?:{words})(?:的|人数?|客户?|顾客|用户)*", said)), None
    )
    if whole is None:
        return None
    if counted[0] == "paid_amount":
        return "amount_share" if whole in ("sales", "crowd") else None
    if whole in ("crowd", "sales"):
        return _OF_CROWD.get(counted[0])
    stage = _STAGE.get(counted[0])
    return acts().rates.get(whole, {}).get(stage) if stage else None
