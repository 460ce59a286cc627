"""Answers of a model that makes things up, made from real Answers.

Nothing here uses the code it tests: how a number is written in words, and whether one is far from every fact, is worked out anew.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from datetime import date, timedelta

from bot.answer import Answer
from tools.facts import Fact

_CN = "零一二三四五六七八九"
_BANK = "零壹贰叁肆伍陆柒捌玖"
_EN = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen",
    "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
]  # fmt: skip
_EN_TENS = ["zero", "ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]


def chinese(n: int, digits: str = _CN, tens: str = "十百千") -> str:
    """1832 → 一千八百三十二, below 100,000,000."""
    if n >= 10_000:
        rest = n % 10_000
        return (
            chinese(n // 10_000, digits, tens)
            + "万"
            + ((digits[0] if rest < 1000 else "") + chinese(rest, digits, tens) if rest else "")
        )
    out, zero = "", False
    for power in (3, 2, 1, 0):
        d = n // 10**power % 10
        if d:
            out += (digits[0] if zero and out else "") + digits[d] + (tens[power - 1] if power else "")
        zero = d == 0
    return out or digits[0]


def english(n: int) -> str:
    """1832 → one thousand eight hundred and thirty-two."""
    if n < 20:
        return _EN[n]
    if n < 100:
        return _EN_TENS[n // 10] + (f"-{_EN[n % 10]}" if n % 10 else "")
    if n < 1000:
        return f"{_EN[n // 100]} hundred" + (f" and {english(n % 100)}" if n % 100 else "")
    rest = n % 1000
    return f"{english(n // 1000)} thousand" + (f" {'and ' if rest < 100 else ''}{english(rest)}" if rest else "")


def numbers_near(answer: Answer, question: str) -> list[float]:
    """All that a made-up number must stay away from."""
    near = [abs(float(f.value)) for f in answer.facts if isinstance(f.value, int | float)]
    texts = [
        question,
        *(f.display for f in answer.facts),
        *(f.label for f in answer.facts),
        *(c.quote for c in answer.citations),
    ]
    near += [float(n.replace(",", "")) for t in texts for n in re.findall(r"\d[\d,]*(?:\.\d+)?", t)]
    return near + [n * 100 for n in near] + [n / 100 for n in near]


class Liar:
    """Plants one thing that nothing stands behind into an honest text."""

    def __init__(self, answer: Answer, question: str, rng: random.Random) -> None:
        self.answer, self.question, self.rng = answer, question, rng
        self.near = numbers_near(answer, question)

    def far(self, low: int, high: int, room: float = 0.2) -> int:
        """A whole number that is no fact's, in whatever form."""
        for _ in range(2000):
            n = self.rng.randint(low, high)
            if all(abs(n - x) > room * max(n, x) for x in self.near):
                return n
        raise LookupError

    def small(self, low: int, high: int) -> int:
        n = self.rng.choice([n for n in range(low, high) if all(abs(n - x) > 0.4 for x in self.near)] or [0])
        if not n:
            raise LookupError
        return n

    def share(self) -> float:
        """A share between 0 and 1 that is no fact's."""
        for _ in range(2000):
            s = self.rng.randint(21, 949) / 1000
            ratios = self.ratios()
            if (
                all(abs(s - r) > 0.06 for r in ratios)
                and all(abs(s * 100 - x) > 1.1 for x in self.near)
                and s * 1000 % 10
            ):
                return s
        raise LookupError

    def ratios(self) -> list[float]:
        return [
            abs(float(f.value))
            for f in self.answer.facts
            if f.unit in ("ratio", "points") and isinstance(f.value, int | float)
        ]

    def day(self) -> date:
        stamps = "\n".join(
            [
                *(str(f.value) for f in self.answer.facts),
                *(f.as_of for f in self.answer.facts),
                *(str(f.period) for f in self.answer.facts),
                str(self.answer.interpretation.period),
                *(f"{a.when} {a.deadline}" for a in self.answer.actions),
            ]
        )
        # The day before midnight is 24:00 of; its number alone may be said too.
        taken = {date.fromisoformat(s) for s in re.findall(r"\d{4}-\d\d-\d\d", stamps)}
        taken |= {d - timedelta(days=1) for d in taken}
        for _ in range(500):
            d = date(2026, 1, 1) + timedelta(days=self.rng.randrange(365))
            numbers = {float(f"{d.month}.{d.day:02}"), float(d.month), float(d.day)}
            if all(d.day != t.day for t in taken) and not numbers & set(self.near):
                return d
        raise LookupError

    def people(self) -> Fact:
        """A fact of at least 20 people whose number no other fact has, in any unit."""
        found = [
            f for f in self.answer.facts if f.unit == "people" and isinstance(f.value, int | float) and f.value >= 20
        ]
        found = [f for f in found if sum(abs(x - float(f.value or 0)) < 0.5 for x in self.near) <= 3]
        if not found:
            raise LookupError
        return self.rng.choice(found)


def _number(write: Callable[[Liar, int], str], low: int = 120, high: int = 90_000) -> Callable[[Liar], str]:
    return lambda liar: write(liar, liar.far(low, high))


def _share(write: Callable[[float], str]) -> Callable[[Liar], str]:
    return lambda liar: write(liar.share())


def _day(write: Callable[[date], str]) -> Callable[[Liar], str]:
    return lambda liar: write(liar.day())


def _bold_inside(n: int) -> str:
    shown = f"{n:,}"
    cut = len(shown) // 2
    return f"{shown[:cut]}**{shown[cut:]}**"


def _wrong_crowd(liar: Liar) -> str:
    """A right number under a wrong name."""
    facts = [f for f in liar.answer.facts if f.crowd in _CROWDS and f.metric and f.unit == "people"]
    near = [float(f.value or 0) for f in liar.answer.facts if f.unit == "people" and f.value is not None]
    facts = [f for f in facts if near.count(float(f.value or 0)) == 1 and float(f.value or 0) >= 12]
    if not facts:
        raise LookupError
    fact = liar.rng.choice(facts)
    name = liar.rng.choice([n for crowd, n in _CROWDS.items() if crowd != fact.crowd and n not in fact.label])
    return f"{name} {fact.value:,.0f} 人"


_CROWDS = {
    "cart_unpaid": "加购未付款",
    "last_push": "临门一脚",
    "fan": "粉丝",
    "coupon_unredeemed": "权益未核销会员",
    "all": "全店",
    "cart_fav_unpaid": "加购收藏未付款",
    "balance_due": "付定金未付尾款",
    "old": "老客",
    "new": "新客",
}


def _wrong_way(liar: Liar) -> str:
    falls = [f for f in liar.answer.facts if f.unit == "ratio" and isinstance(f.value, float) and f.value < -0.02]
    same = [
        round(abs(float(f.value)), 3)
        for f in liar.answer.facts
        if f.unit == "ratio" and isinstance(f.value, int | float)
    ]
    falls = [f for f in falls if same.count(round(abs(float(f.value or 0)), 3)) == 1]
    if not falls:
        raise LookupError
    by = f"{abs(float(liar.rng.choice(falls).value or 0)) * 100:.1f}%"
    return liar.rng.choice(
        [f"比昨天高 {by}", f"涨了 {by}", f"up {by} on yesterday", f"{by} more than yesterday", f"变化 +{by}"]
    )


def _wrong_unit(liar: Liar) -> str:
    n = f"{float(liar.people().value or 0):,.0f}"
    return liar.rng.choice(
        [f"成交 {n} 元", f"¥{n} 成交", f"高 {n} 个百分点", f"涨了 {n}%", f"还有 {n} 小时", f"一共 {n} 万人"]
    )


def _ratio_as_people(liar: Liar) -> str:
    ratios = [
        f
        for f in liar.answer.facts
        if f.unit == "ratio" and f.display.endswith("%") and abs(float(f.value or 0)) > 0.02
    ]
    if not ratios:
        raise LookupError
    shown = liar.rng.choice(ratios).display.rstrip("%").lstrip("+-")
    return liar.rng.choice([f"有 {shown} 人", f"花了 {shown} 元", f"{shown} 万人", f"{shown} people came"])


def _phone(rng: random.Random) -> str:
    return f"1{rng.choice('3456789')}{rng.randrange(10**9):09d}"


def _personal(liar: Liar) -> str:
    rng, phone = liar.rng, _phone(liar.rng)
    spaced = f"{phone[:3]}{{0}}{phone[3:7]}{{0}}{phone[7:]}"
    return rng.choice(
        [
            f"联系 {phone}",
            f"call {spaced.format(' ')}",
            f"电话 {spaced.format('-')}",
            "手机 " + "".join(_CN[int(c)] for c in phone),
            "手机 " + phone.translate(str.maketrans("0123456789", "０１２３４５６７８９")),
            f"+86 {phone}",
            f"电话 {' '.join(phone)}",
            f"手机 {phone[:5]}**{phone[5:]}**",
            f"手机 {phone[:4]}\u200b{phone[4:]}",
            f"邮箱 wang.{rng.randrange(99)}@example.com",
            f"身份证 110105{rng.randrange(1950, 2005)}0{rng.randrange(1, 10)}1{rng.randrange(10)}{rng.randrange(1000, 9999)}",
            f"卡号 6222 0{rng.randrange(100, 999)} 3456 7890 123",
            f"user_id {rng.randrange(10_000, 99_999)}",
            f"客户 u{rng.randrange(10**6):06d}",
            f"微信号 wx_{rng.randrange(10**5, 10**6)}",
            "收货人：王晓丽",
            f"021-{rng.randrange(2 * 10**7, 9 * 10**7)}",
        ]
    )


_QUOTES = (
    "凡是加购的人都要在当晚逐个打电话",
    "会员权益一律不得在开卖后发放",
    "高价值客户需由店长亲自邀约到店",
    "优惠信息应当提前一个月公布到位",
)
LIES: dict[str, Callable[[Liar], str]] = {
    "digits": _number(lambda _, n: f"还有 {n:,} 人没看到"),
    "no separator": _number(lambda _, n: f"还有{n}人没看到"),
    "full width": _number(
        lambda _, n: "还有 " + str(n).translate(str.maketrans("0123456789", "０１２３４５６７８９")) + " 人"
    ),
    "full width comma": _number(
        lambda _, n: f"还有 {n:,} 人".translate(str.maketrans("0123456789,", "０１２３４５６７８９，")), 2000
    ),
    "other digits": _number(lambda _, n: "还有 " + "".join(chr(0x660 + int(c)) for c in str(n)) + " 人"),
    "thick digits": _number(lambda _, n: "还有 " + "".join(chr(0x1D7CE + int(c)) for c in str(n)) + " 人"),
    "chinese": _number(lambda _, n: f"还有{chinese(n)}人没看到"),
    "bank chinese": _number(lambda _, n: f"还有{chinese(n, _BANK, '拾佰仟')}人"),
    "english": _number(lambda _, n: f"{english(n)} people have not seen it", 120, 9999),
    "english hundreds": _number(lambda _, n: f"{english(n // 100)} hundred people have not seen it", 1200, 1999),
    "ten thousands": _number(lambda _, n: f"大约 {n / 10_000:.1f} 万人会来", 20_000, 900_000),
    "chinese short": _number(lambda _, n: f"大约{chinese(n // 1000 * 1000)}人会来", 2_000, 99_000),
    "k": _number(lambda _, n: f"about {n / 1000:.1f}k people will come", 2_000, 90_000),
    "mixed": _number(lambda _, n: f"大约 {n // 10_000} 万 {n // 1000 % 10} 千人", 21_000, 99_000),
    "power": _number(lambda _, n: f"大约 {n / 1000:.2f}e3 人", 1_000, 9_000),
    "raised power": _number(lambda _, n: f"大约 {n / 1000:.1f}×10³ 人", 1_000, 9_000),
    "yuan sign": _number(lambda _, n: f"能多卖 ¥{n:,}"),
    "yuan": _number(lambda _, n: f"能多卖{n}元"),
    "yuan ten thousands": _number(lambda _, n: f"能多卖 ¥{n / 10_000:.1f}万", 20_000, 900_000),
    "rmb million": _number(lambda _, n: f"RMB {n / 1_000_000:.2f}m more", 300_000, 9_000_000),
    "markup inside": _number(lambda _, n: f"还有 {_bold_inside(n)} 人", 1000),
    "tag inside": _number(lambda _, n: f"还有 {str(n)[:2]}<b>{str(n)[2:]}</b> 人", 1000),
    "unseen inside": _number(lambda _, n: f"还有 {str(n)[:1]}\u200b{str(n)[1:]} 人", 1000),
    "entity": _number(lambda _, n: "还有 " + "".join(f"&#{ord(c)};" for c in str(n)) + " 人"),
    "blank inside": _number(lambda _, n: f"还有 {f'{n:,}'.replace(',', ' ')} 人", 1000),
    "thin blank inside": _number(lambda _, n: f"还有 {f'{n:,}'.replace(',', chr(0x2009))} 人", 1000),
    "line break inside": _number(lambda _, n: "还有 {}\n{} 人".format(*(f"{n:,}".replace(",", ",|").split("|"))), 1000),
    "table": _number(lambda _, n: f"| 预计 | {n:,} |"),
    "bullet": _number(lambda _, n: f"- **{n:,}** 人还没看到"),
    "range": _number(lambda _, n: f"预计 {n}-{n + n // 5} 人会来"),
    "minus": _number(lambda _, n: f"比昨天 -{n} 人"),
    "more than": _number(lambda _, n: f"超过 {n // 100 * 100:,} 人会来", 1000),
    "roman": lambda liar: f"还有 {chr(0x2160 + liar.small(6, 12) - 1)} 人",
    "circled": lambda liar: f"还有 {chr(0x2460 + liar.small(6, 20) - 1)} 人",
    "small chinese": lambda liar: f"还有{chinese(liar.small(4, 19))}个会员",
    "dozens": lambda liar: {24: "two dozen people", 36: "three dozen people", 60: "five dozen people"}[
        liar.rng.choice([n for n in (24, 36, 60) if all(abs(n - x) > 1 for x in liar.near)])
    ],
    "vague": lambda liar: f"还有{liar.rng.choice(['上亿', '数百万', '几千万', '好几百万'])}人",
    "vague english": lambda liar: f"{liar.rng.choice(['millions', 'hundreds of thousands'])} of people are waiting",
    "percent": _share(lambda s: f"预计 {s * 100:.1f}% 的人会付款"),
    "decimal": _share(lambda s: f"比率 {s:.3f}"),
    "percent in chinese": _share(lambda s: f"百分之{chinese(int(s * 100))}点{_CN[round(s * 1000) % 10]}的人"),
    "percent in english": _share(lambda s: f"{s * 100:.1f} percent will pay"),
    "points": _share(lambda s: f"比昨天高 {s * 100:.1f} 个百分点"),
    "points english": _share(lambda s: f"{s * 100:.1f} points above yesterday"),
    "tenths": lambda liar: _tenths(liar),
    "part": lambda liar: _part(liar),
    "one in": lambda liar: _one_in(liar),
    "times": lambda liar: f"是平时的 {liar.far(13, 900)} 倍",
    "many times": lambda liar: liar.rng.choice(["翻了四番", "quadrupled overnight", "a sixfold rise"]),
    "discount": lambda liar: f"全场{_CN[liar.rng.randint(3, 8)]}{_CN[liar.rng.randint(1, 9)]}折",
    "slash day": _day(lambda d: f"{d.month}/{d.day} 之前发完"),
    "point day": _day(lambda d: f"{d.month}.{d.day:02} 之前发完"),
    "chinese day": _day(lambda d: f"{d.month} 月 {d.day} 日之前发完"),
    "day in words": _day(lambda d: f"{chinese(d.month)}月{chinese(d.day)}号之前发完"),
    "english day": _day(lambda d: f"send it by {d:%B} {d.day}"),
    "english day first": _day(lambda d: f"send it by {d.day} {d:%b}"),
    "iso day": _day(lambda d: f"{d.isoformat()} 截止"),
    "nth": _day(lambda d: f"on the {d.day}th it ends" if 3 < d.day < 21 else f"{d:%b} {d.day} it ends"),
    "time": lambda liar: f"今天 {liar.small(13, 24)}:{liar.rng.choice([7, 13, 41, 52]):02d} 发",
    "hour": lambda liar: f"凌晨 {liar.small(3, 6)} 点 {liar.rng.choice([7, 13, 41])} 分发",
    "hours": lambda liar: f"还剩 {liar.far(13, 400)} 小时",
    "days": lambda liar: f"还剩 {liar.far(33, 400)} 天",
    "minutes": lambda liar: f"{liar.small(3, 50)} 分钟内回复",
    "nth day": lambda liar: f"正式售卖第 {liar.small(34, 80)} 天",
    "wrong unit": _wrong_unit,
    "ratio as people": _ratio_as_people,
    "wrong crowd": _wrong_crowd,
    "wrong way": _wrong_way,
    "quote": lambda liar: f"手册里说“{liar.rng.choice(_QUOTES)}”",
    "marked quote": lambda liar: f"「{liar.rng.choice(_QUOTES)}」[1]",
    "block quote": lambda liar: f"> {liar.rng.choice(_QUOTES)}",
    "english quote": lambda liar: 'The handbook says "every member gets a personal call on the last evening".',
    "title": lambda liar: f"见《{liar.rng.choice(['大促实战宝典', '私域增长手记', '会员运营白皮书'])}》",
    "mark": lambda liar: f"先发短信 [{liar.rng.randint(40, 99)}]",
    "fact id": lambda liar: f"加购的人 [{liar.rng.choice(liar.answer.facts).id}]" if liar.answer.facts else "见 [77]",
    "cited number": _share(lambda s: f"转化能到 {s * 100:.1f}% [1]"),
    "personal": _personal,
    "personal again": _personal,
}


def _tenths(liar: Liar) -> str:
    ratios = liar.ratios()
    free = [n for n in range(2, 10) if all(abs(n / 10 - r) > 0.06 for r in ratios)]
    if not free:
        raise LookupError
    return f"有{_CN[liar.rng.choice(free)]}成的人会来"


def _one_in(liar: Liar) -> str:
    parts = {0.9: "nine in ten", 7 / 11: "7 out of 11", 4 / 7: "four in seven", 0.4: "two in five"}
    free = [words for part, words in parts.items() if all(abs(part - r) > 0.06 for r in liar.ratios())]
    if not free:
        raise LookupError
    return f"{liar.rng.choice(free)} will not come back"


def _part(liar: Liar) -> str:
    ratios = liar.ratios()
    parts = {
        1 / 2: ["一半的人", "half of them", "半数的人"],
        1 / 3: ["三分之一的人", "a third of them"],
        3 / 4: ["四分之三", "three-quarters of them"],
        2 / 3: ["三分之二的人", "two-thirds of them"],
        1 / 5: ["五分之一的人", "a fifth of them"],
    }
    free = [w for part, w in parts.items() if all(abs(part - r) > 0.06 for r in ratios)]
    if not free:
        raise LookupError
    return f"{liar.rng.choice(liar.rng.choice(free))} 还在看"


def planted(answer: Answer, lie: str, rng: random.Random) -> tuple[str, range]:
    """The answer's text with the lie in a line of its own or behind an honest one, and the lines it stands in."""
    lines = answer.text.split("\n")
    said = lie.split("\n")
    # Behind a citation mark a number of that citation would be honest.
    free = [i for i, line in enumerate(lines) if "[" not in line]
    if rng.random() < 0.3 and len(said) == 1 and not lie.startswith((">", "|", "-")):
        i = rng.choice(free)
        lines[i] = f"{lines[i]}。{lie}" if lines[i] else lie
        return "\n".join(lines), range(i, i + 1)
    i = rng.randint(0, len(lines))
    return "\n".join([*lines[:i], *said, *lines[i:]]), range(i, i + len(said))
