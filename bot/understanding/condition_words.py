"""The words of conditions with numbers: what people paid in a year, when they last bought or came, and the values they give."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

_CN = "零一二两三四五六七八九十"
_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"两": 2, "〇": 0}
_UNITS = {"十": 10, "百": 100, "千": 1_000, "万": 10_000}
_EN_NUMBERS = {
    "a": 1, "an": 1, "one": 1, "two": 2, "a couple of": 2, "couple of": 2, "three": 3, "four": 4, "five": 5, "six": 6,
    "seven": 7, "eight": 8, "nine": 9, "ten": 10, "twelve": 12, "thirty": 30, "sixty": 60, "ninety": 90,
}  # fmt: skip

# --- amounts -----------------------------------------------------------------------------------------------------

_DIGIT_AMOUNT = r"(?:\d{1,3}(?:,\d{3})+|\d{1,9})(?:\.\d{1,2})?"


def _amount(name: str) -> str:
    return (
        rf"[¥￥$€£]?\s*(?:rmb ?)?(?P<{name}>{_DIGIT_AMOUNT}|[{_CN}百千万]{{2,8}})\s*(?P<{name}_big>万|千|百|[kw](?![a-z]))?"
        r"\s*(?:元钱?|块钱|块|(?:yuan|rmb|cny)(?![a-z]))?"
    )


_N = _amount("n")
# 3 件, 2 次 and 5% are no money; 500 到 1000 is a span of its own.
_NO_MONEY = (
    r"(?!\s*(?:[\d.,%折倍件次单个天款人年月周日万千百位分笔]"
    r"|times?\b|orders?\b|items?\b|days?\b|people\b|[到至~—–-]\s*[\d¥]))"
)
_YEAR = r"(?:(?:近|最近|过去|这)?(?:一|1)年(?:内|里|来)?|(?:近|最近|过去)(?:365天|12个月|十二个月)(?:内|里)?|全年|年)?"
_SPENT = (
    rf"{_YEAR}(?:累计|一共|总共|总|共|历史)?(?:消费|实付|付款|付|支付|花费|花|购买|买|贡献|掏)"
    r"(?:总?金额|总?额|满?钱)?(?:了|过)?(?:累计|在)?"
)
_SINCE = r"(?:满|超过|超出|超|大于|多于|高于|达到|达|不少于|不低于|至少|起码|>=|>|≥|过(?=\d))"
_UP = r"(?:及?以上|往上|开外|起步|起|\+|多块?|(?:元|块)?以上)"
_DOWN = r"(?:及?以下|以内|之内|往下|不到)"
_WHO = r"\b(?:(?:who|that|which)(?: have| has|'ve|'s)? )?(?:spent|paid|spending|spend|spends)(?: a total of| in total)?"
_WITH = r"\bwith (?:an? )?(?:total |annual |yearly |lifetime )?(?:spend(?:ing)?|purchases?)(?: of)?"
_MORE = r"(?:at least|over|more than|above|upwards of|north of|exceeding|>=|>)"
_LESS = r"(?:at most|under|less than|below|no more than|up to|fewer than|<=|<)"
_A_YEAR = r"(?: (?:with)?in (?:the )?(?:last|past) (?:year|12 months|365 days)| (?:this|a|per) year| all told)?"
_MIN = (
    rf"{_SPENT}{_SINCE}\s*{_N}(?:及?以上)?{_NO_MONEY}",
    rf"{_SPENT}\s*{_N}{_UP}{_NO_MONEY}",
    rf"{_SPENT}(?:过|上|破|超)(?P<round>百|千|万)(?:元|块)?(?:以上)?",
    rf"(?<!\d){_N}{_UP}(?:的)?(?:消费|花费|消费额)(?=的)",
    rf"{_WHO} {_MORE} ?{_N}(?: or more)?{_NO_MONEY}{_A_YEAR}",
    rf"{_WITH} {_MORE} ?{_N}{_NO_MONEY}{_A_YEAR}",
    rf"{_WHO} {_N}(?: or more| and more| and up| plus|\+){_NO_MONEY}{_A_YEAR}",
)
_MAX = (
    rf"{_SPENT}(?:不到|低于|少于|小于|不超过|没超过|不足|不满|最多|没到|<=|<|≤)\s*{_N}{_NO_MONEY}",
    rf"{_SPENT}\s*{_N}{_DOWN}{_NO_MONEY}",
    rf"{_WHO} {_LESS} ?{_N}{_NO_MONEY}{_A_YEAR}",
    rf"{_WITH} {_LESS} ?{_N}{_NO_MONEY}{_A_YEAR}",
    rf"{_WHO} {_N}(?: or less| at most){_NO_MONEY}{_A_YEAR}",
)
_TO = r"\s*(?:到|至|~|—|–|-|to|and)\s*"
_BETWEEN = (
    rf"{_SPENT}{_N}{_TO}{_amount('m')}(?:之间|区间|以内|的?这?[档段])?{_NO_MONEY}",
    rf"{_WHO} (?:between |from )?{_N}{_TO}{_amount('m')}{_NO_MONEY}{_A_YEAR}",
)

# --- days --------------------------------------------------------------------------------------------------------

_SPAN = rf"(?P<n>\d{{1,4}}|[{_CN}]{{1,3}}|大?半)(?P<ge>个)?(?P<half>半)?(?P<u>天|日|周|星期|礼拜|月|年)(?P<more>半)?"
_LATELY = r"(?P<lately>最近|近|过去|这|前|往前)?"
_INSIDE = r"(?P<inside>以内|之内|内|里|以来|来|当中|中)?"
_ALSO = r"(?:有|都|还|曾|又|再|至少|刚|才)*"
_PAY = r"(?:购买|买|付款|付钱|付费|付|下单|下|成交|消费|支付|复购|回购|开单|剁手|掏钱|花钱|买单|出手)"
_PAY_DONE = rf"(?:{_PAY}(?:过|了)(?:款|钱|单|东西|商品|货|一次|一单)?)+"
_EN_SPAN = (
    r"(?:the |these )?(?:last |past |previous )?(?P<n>\d{1,4}|a couple of|couple of|half an?|an?|[a-z]+)? ?(?P<plus>\+ ?)?"
    r"(?P<u>day|week|month|year)s?\b"
)
_WHO_DID = r"\b(?:who|that)(?: have| has|'ve| actually)?"
_BUY = r"(?:paid|bought|purchased|ordered|shopped)(?: (?:something|anything|from us|with us|here))?"
_IN = r"(?:with)?in|during|over|for|in at least|for over|for more than|for at least"
_PAID_WITHIN = (
    rf"{_LATELY}{_SPAN}{_INSIDE}{_ALSO}{_PAY_DONE}",
    rf"{_LATELY}{_SPAN}{_INSIDE}{_ALSO}(?:成交|购买|下单|消费|付款|订单|支付|购买记录|成交记录)(?:记录)?(?=的)",
    rf"(?:最后|上|最近)(?:一)?次(?:付款|购买|下单|消费|成交)(?:时间)?(?:是|在)?(?:最近|近)?{_SPAN}(?P<inside>以内|之内|内|里)",
    rf"{_WHO_DID} {_BUY} (?:{_IN}) {_EN_SPAN}",
    rf"\b(?:who|whose) last (?:order|purchase|payment|bought|ordered|paid)(?: was| is)? (?:with)?in {_EN_SPAN}",
    rf"\bwith (?:an? |some )?(?:orders?|purchases?|payments?) (?:with)?in {_EN_SPAN}",
)
_CAME = (
    r"(?:来过|到过店|来过店|进过店|来店|进店|到店|活跃过|浏览过|访问过|逛过|露过面|出现过|互动过|登录过"
    r"|活跃|来访|有行为|有互动|有动静|有访问|有浏览|有活跃)"
)
_SEEN_WITHIN = (
    rf"{_LATELY}{_SPAN}{_INSIDE}{_ALSO}{_CAME}(?:我们)?(?:店铺|店里|店|家)?",
    rf"{_WHO_DID}(?: been)? (?:seen|active|around|visited|came(?: by)?|come by|browsed|stopped by)"
    rf"(?: us| the shop)? (?:{_IN}) {_EN_SPAN}",
    rf"\b(?:seen|active) (?:with)?in {_EN_SPAN}",
)
_AGO = r"(?:已经|超过|有|超|整整|足足|满|已有|快|差不多)*"
_MUCH = r"(?:以上|多|开外|\+|了)?"
_STILL = r"(?:都|还|也|从|一直|就)*"
_NOT = r"(?:没有|没|未|不曾|未曾|不)"
_SHOWN = (
    r"(?:来过?店|来过|来逛过?|来|到过?店|进过?店|浏览过?|访问过?|逛过?|看过?|活跃过?|露过?面|冒过?泡|登录过?|上线"
    r"|出现过?|光顾过?|互动过?|有?动静|有?响动|有?行为|有?互动)"
)
_NOT_PAID = (
    rf"{_LATELY}{_AGO}{_SPAN}{_MUCH}{_INSIDE}{_STILL}{_NOT}(?:有)?(?:过)?{_PAY}(?:过|了|成)?(?:款|钱|单|东西|商品|货)?",
    rf"{_LATELY}{_SPAN}{_INSIDE}{_STILL}(?:零|0)(?:购买|消费|成交|下单|订单)",
    rf"{_WHO_DID} ?(?:not|n't|haven't|hasn't|havent|hasnt|didn't|did not|never|don't|do not|doesn't|have not|has not)"
    rf"(?: actually| even)? (?:pay|buy|order|purchase|shop|{_BUY})(?: anything| from us)? (?:{_IN}) {_EN_SPAN}",
    rf"\b(?:with no|without|with zero)(?: any| an?)? (?:orders?|purchases?|payments?) (?:{_IN}) {_EN_SPAN}",
)
_NOT_SEEN = (
    rf"{_LATELY}{_AGO}{_SPAN}{_MUCH}{_INSIDE}{_STILL}{_NOT}(?:怎么|再)?{_SHOWN}(?:了)?(?:店里|我们店|店)?",
    rf"{_WHO_DID} ?(?:not|haven't|hasn't|havent|hasnt|didn't|have not|has not|were not|weren't)(?: been)?"
    rf" (?:seen|active|around|visited|visit|come|come back|come by|been back|back|browsed|shown up|stopped by)"
    rf"(?: us| the shop)? (?:{_IN}) {_EN_SPAN}",
    rf"\b(?:inactive|dormant|silent|absent|away|not seen|unseen|not active) (?:{_IN}) {_EN_SPAN}",
    r"\binactive (?P<n>\d{1,4})(?: ?\+)? (?P<u>day|week|month|year)s?\b",
)
_LAST_PAID = (
    rf"{_LATELY}{_AGO}{_SPAN}{_MUCH}{_INSIDE}{_STILL}{_NOT}(?:再|继续|又)(?:来)?{_PAY}(?:过)?(?:款|钱|单|东西|商品)?",
    rf"{_LATELY}{_AGO}{_SPAN}{_MUCH}{_INSIDE}{_STILL}{_NOT}(?:有)?(?:复购|回购|返单|回头)(?:过)?",
    rf"(?:最后|上|最近)(?:一)?次(?:付款|购买|下单|消费|成交)(?:时间)?(?:距今|在|是|还是)?(?:已)?(?:超过)?{_SPAN}(?:之前|以前|前|以上)",
    r"\blast (?:paid|bought|ordered|purchased|shopped) (?:over |more than |at least )?(?P<n>\d{1,4}|an?|[a-z]+)"
    r" (?P<u>day|week|month|year)s?(?: or more)? ago",
    r"\b(?:whose |with (?:a |their )?)?last (?:order|purchase|payment)(?: was| is| were)? (?:over |more than |at least )?"
    r"(?P<n>\d{1,4}|an?|[a-z]+) (?P<u>day|week|month|year)s? ago",
    rf"{_WHO_DID} ?(?:not|haven't|hasn't|havent|didn't) (?:come back to buy|re ?ordered|re ?purchased|bought again|ordered again)"
    rf" (?:{_IN}) {_EN_SPAN}",
)

RULES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("amounts", _BETWEEN),
    ("min_amount", _MIN),
    ("max_amount", _MAX),
    ("last_paid_before", _LAST_PAID),
    ("not last_paid_within", _NOT_PAID),
    ("not last_seen_within", _NOT_SEEN),
    ("last_paid_within", _PAID_WITHIN),
    ("last_seen_within", _SEEN_WITHIN),
)

_DAYS = {
    "天": 1, "日": 1, "周": 7, "星期": 7, "礼拜": 7, "月": 30, "年": 365, "day": 1, "week": 7, "month": 30, "year": 365,
}  # fmt: skip
_HALF = {"年": 180, "月": 15, "year": 180, "month": 15}
_MOST_DAYS = 3650


@cache
def compiled() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((column, re.compile(p, re.A)) for column, patterns in RULES for p in patterns)


def values(column: str, m: re.Match[str]) -> Iterator[tuple[str, str, int]]:
    """(filter's column, value, where its words end) of what a rule found; nothing when it is no span or amount after all."""
    groups = m.groupdict()
    if column == "amounts":
        low, high = _money(groups["n"], groups["n_big"]), _money(groups["m"], groups["m_big"])
        if low is not None and high is not None and groups["m_big"] and not groups["n_big"] and low * 100 < high:
            low *= _times(groups["m_big"])  # 1到2万
        if low is not None and high is not None and low < high:
            yield "min_amount", f"{low:.2f}", m.start("m")
            yield "max_amount", f"{high:.2f}", m.end()
    elif column.endswith("amount"):
        money = float(_UNITS[groups["round"]]) if groups.get("round") else _money(groups["n"], groups["n_big"])
        if money is not None:
            yield column, f"{money:.2f}", m.end()
    else:
        days = _days(groups)
        if days is not None:
            yield column, str(days), m.end()


def _times(big: str | None) -> int:
    return {"万": 10_000, "w": 10_000, "千": 1_000, "k": 1_000, "百": 100}.get(big or "", 1)


def _money(said: str | None, big: str | None) -> float | None:
    if not said:
        return None
    if said[0].isdigit():
        return float(said.replace(",", "")) * _times(big)
    n = chinese(said)
    return None if n is None else float(n * _times(big))


def chinese(said: str) -> int | None:
    """十五 15, 一百五 150, 两千 2000, 三万二 32000; None for what is no number."""
    total = part = digit = 0
    last_unit = 1
    zero = False
    for c in said:
        if c in _DIGITS:
            if digit:
                return None
            digit = _DIGITS[c]
            zero = zero or digit == 0
        elif c == "万":
            total, part, digit, last_unit, zero = (total + part + digit) * 10_000, 0, 0, 10_000, False
        else:
            part += (digit or 1) * _UNITS[c]
            digit, last_unit, zero = 0, _UNITS[c], False
    if digit and last_unit >= 100 and not zero:  # 一百五 is 150
        digit *= last_unit // 10
    return total + part + digit or None


def _days(groups: dict[str, str | None]) -> int | None:
    said, unit = groups.get("n") or "", groups.get("u") or ""
    if said in ("半", "half a", "half an"):
        days = _HALF.get(unit)
    elif said == "大半":
        days = None
    else:
        n = (
            int(said)
            if said.isdigit()
            else _EN_NUMBERS.get(said)
            if said.isascii() and said
            else chinese(said)
            if said
            else 1
        )
        days = n * _DAYS[unit] if n is not None and unit else None
        if days is not None and (groups.get("half") or groups.get("more")) and unit in _HALF:
            days += _HALF[unit]  # 一个半月, 一年半
    if days is None or not 1 <= days <= _MOST_DAYS or (unit == "月" and not groups.get("ge") and "半" not in said):
        return None  # 6 月 is a month of the year
    if unit == "日" and not (groups.get("lately") or groups.get("inside")):
        return None  # 6 日 is a day of the month
    return days
