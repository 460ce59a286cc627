"""A seen text (bot/seen_text.py) with its numerals in digits: 一千八百人 is 1800人, three in ten a number from 0.27 to 0.33."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from bot import numeral_words as words
from bot.seen_text import seen, without_idioms

VAGUE = "\ue010"  # before one character that says which vague number stood there
_FIRST = 0xE100


@dataclass(frozen=True)
class Vague:
    """A number that is no digit: 几百, dozens, half, 翻番. `kind` is given where the word says it."""

    low: float
    high: float
    kind: str | None = None


@dataclass(frozen=True)
class Plain:
    """`text` has numerals in digits; `origin` tells for each of its characters where it stood in `seen`."""

    seen: str
    text: str
    origin: list[int]
    vague: list[Vague] = field(default_factory=list)

    def said(self, start: int, end: int) -> str:
        """What stood there before words became digits."""
        return self.seen[self.origin[start] : self.origin[end] if end < len(self.origin) else len(self.seen)].strip()


# What makes a lone Chinese numeral count something.
_COUNTS = (
    r"(?:多|来|几|余)?(?:人|名(?!单|称|字|额|目)|位(?!置|数)|个|元|块|%|倍|天|日(?!常)|号|周|星期|小时|钟头|分钟|秒|月|年|岁|"
    r"点(?=前|后|半|整|钟|发|之|到|至|\d|[零一二三四五六七八九十]|\s|$|,|。|开|截)|时(?!间|段|候|常)|成(?!交|功|本|员|为|立|长|果|效)|"
    r"折(?!算)|条|单(?!独|品)|件|款|笔|张|项|种|类|家(?!庭)|场|步|轮|次(?!要)|批|组|份|套|瓶|波|度|遍|封|字|支|盒|部(?!分)|口|圈|版|档|期|"
    r"句|千|万|百)"
)
_N, _D, _SOME = words.CHINESE, words.DIGIT, words.DIGIT.partition("壹")[2]  # numerals, digits, digits from two on
_ZH = re.compile(
    rf"(?=[{_N}\d翻多少高增长半对过大成上几数好第])(?:"
    rf"百分之(?P<pct>[{_N}\d]+)(?:[点.](?P<pctd>[{_D}\d]+))?"
    rf"|(?P<den>[{_N}\d]+)分之(?P<num>[{_N}\d]+)"
    rf"|翻了?(?P<twice>[{_N}\d])?(?:番|倍)|(?P<one>[多少高增长])(?:了|出)?一倍"
    rf"|(?P<half>一半|半数|对半|过半|半价)"
    rf"|(?P<wild>成百上千|成千上万|上千上万)"
    rf"|(?P<some>好?几|数|上|成)(?P<somes>十|百|千|万|十万|百万|千万|亿)(?!分|牛)"
    rf"|(?P<ten>[{_D[1:]}]?十)[几来](?=[人个位名多天元块条件单%])"
    rf"|(?P<cheng>[{_N}\d])成(?P<chengd>[{_D[1:]}\d半])(?!交)"
    rf"|(?P<pair>(?<![{_N}])(?:一两|两三|三四|四五|五六|六七|七八|八九|三五))(?P<pairs>[十百千万]*)"
    r"(?=[人个位名天元块条件单成款倍万])"
    rf"|(?<!\d)(?<!\d )(?P<run>(?=[{_D}十拾廿卅]|[百千万亿](?:[{_N}]| ?[人元块]))"
    rf"(?:[{_N}]*[{_N[len(_D) :]}][{_N}]*|[{_D}]{{2,}}))(?:点(?P<dec>[{_D}]+))?"
    rf"|(?P<lone>第[{_D}]|[{_SOME}](?= ?{_COUNTS})|一(?=成(?!不|员|功|交)|倍|折|月(?!份?度)|号(?!店)|日(?!之)|[千万百]))"
    rf"|半(?=个?(?:小时|月|年|周|钟头|价))"
    r"|(?P<mix>\d+(?:\.\d+)? ?[万千百](?: ?\d+ ?[千百十])+(?:\d+)?))"
)
_PART = "(?:half|third|quarter|fifth|sixth|seventh|eighth|ninth|tenth)"
_FEW = "(?:one|two|three|four|five|six|seven|eight|nine)"
# Behind "a third" where a part is meant and no order.
_PARTED = (
    r"(?= *(?:$|[.,;:!?)\n])| (?:of|fewer|more|less|lower|higher|smaller|larger|are|is|have|has|were|was|came|paid|drop|fall|"
    r"rise|off|bought|left)\b)"
)
_W = words.ENGLISH
_EN = re.compile(
    r"\b(?=[aotfsenhdqmzb\d])(?:"
    rf"(?P<part>{_FEW}-(?:{_PART}s?|halves)|{_FEW} (?:{_PART}s|halves)|(?:an?|one) {_PART}{_PARTED})\b"
    rf"|(?P<in>\d+|{_W}) (?:in|out of) (?:every )?(?P<every>\d+|{_W})\b(?! (?:days?|hours?|weeks?|years?))"
    r"|(?:several|a few|some) (?P<few>hundred|thousand|million|dozen)s?\b"
    r"|(?P<many>(?:tens|hundreds) of thousands|(?:dozens|hundreds|thousands|millions|scores))\b"
    r"|(?P<halfof>half) an? (?P<halfw>dozen|hundred|thousand|million)\b|(?P<half>half)\b(?! (?:an? )?hour)"
    r"|(?P<mult>twice|thrice|double[ds]?|doubling|triple[ds]?|tripling|trebled?|quadrupled?|(?:two|three|four|five|six|ten)-?fold)\b"
    r"|a couple of (?=people|members|customers|buyers|days|hours|percent|points|yuan)(?P<couple>)"
    rf"|(?:an? (?=hundred|thousand|million|billion|dozen))?(?P<run>(?:{_W})"
    rf"(?:[ -]+(?:(?:(?<=hundred )|(?<=thousand )|(?<=million ))and )?(?:{_W}))*)\b(?: point(?P<dec>(?: (?:{_W}))+))?"
    rf"|(?P<ord>{'|'.join(sorted(words.ORDINALS, key=len, reverse=True))})\b)",
    re.IGNORECASE,
)
_MULTIPLES = {"thrice": 3, "triple": 3, "triples": 3, "tripled": 3, "tripling": 3, "treble": 3, "trebled": 3, "quadruple": 4,
              "quadrupled": 4, "threefold": 3, "fourfold": 4, "fivefold": 5, "sixfold": 6, "tenfold": 10}  # fmt: skip
_MANY = {"dozens": (24, 99), "scores": (40, 99), "hundreds": (200, 999), "thousands": (2000, 9999), "millions": (2e6, 9.9e6),
         "tens of thousands": (2e4, 99_999), "hundreds of thousands": (2e5, 999_999)}  # fmt: skip
_TENFOLD = {"十": 10, "百": 100, "千": 10**3, "万": 10**4, "十万": 10**5, "百万": 10**6, "千万": 10**7, "亿": 10**8}
PART = 0.03  # how far a fraction in words may be off: a third for 31.2 %


def plain(text: str) -> Plain:
    """The text with its numerals in digits, without idioms."""
    shown = seen(text)
    return worded(shown, shown)


def worded(shown: str, body: str) -> Plain:
    """The same of `body`: a seen text in which names and quotes were blanked out, character for character."""
    body = without_idioms(body)
    vague: list[Vague] = []
    out: list[str] = []
    origin: list[int] = []
    at = 0

    def put(piece: str, start: int, end: int) -> None:
        out.append(body[at:start])
        origin.extend(range(at, start))
        out.append(piece)
        origin.extend([start] * len(piece))

    matches = [(m, _chinese) for m in _ZH.finditer(body)] if _HAS_ZH.search(body) else []
    if _HAS_EN.search(body):
        matches += [(m, _english) for m in _EN.finditer(body)]
    for m, say in sorted(matches, key=lambda pair: pair[0].start()):
        piece = say(m, vague)
        if piece is None or m.start() < at:
            continue
        put(piece, m.start(), m.end())
        at = m.end()
    put("", len(body), len(body))
    return Plain(shown, "".join(out), origin, vague)


_HAS_ZH = re.compile(f"[{words.CHINESE}半翻几数]")
_HAS_EN = re.compile("[a-zA-Z]{3}")


def _as_vague(vague: list[Vague], low: float, high: float, kind: str | None = None) -> str:
    vague.append(Vague(low, high, kind))
    return VAGUE + chr(_FIRST + len(vague) - 1)


def vague_of(plain_text: Plain, sign: str) -> Vague:
    return plain_text.vague[ord(sign) - _FIRST]


def _value(run: str) -> int:
    return int(run) if run.isdigit() and run.isascii() else words.chinese(run)


def _chinese(m: re.Match[str], vague: list[Vague]) -> str | None:
    g = m.groupdict()
    if g["pct"]:
        behind = g["pctd"] or ""
        behind = behind if behind.isascii() else words.decimals(behind)
        return f"{_value(g['pct'])}{'.' if behind else ''}{behind}%"
    if g["den"]:
        below, above = _value(g["den"]), _value(g["num"])
        part = above / below if below else -1.0
        return _as_vague(vague, part - PART, part + PART, "ratio")
    if m[0].startswith("翻") or g["one"]:
        times = 2.0 ** _value(g["twice"]) if g["twice"] and m[0].endswith("番") else float(_value(g["twice"] or "2"))
        return (g["one"] or "") + _as_vague(vague, times * 0.95, times * 1.05, "multiple")
    if g["half"]:
        if g["half"] == "半价":
            return "5折"
        low = 0.45 if g["half"] in ("一半", "对半") else 0.5
        return _as_vague(vague, low, 0.55 if low < 0.5 else 0.75, "ratio")
    if g["wild"]:
        return _as_vague(vague, *((100, 9999) if g["wild"] == "成百上千" else (10**3, 99_999)))
    if g["some"]:
        scale = _TENFOLD[g["somes"]]
        return _as_vague(vague, scale * (1 if g["some"] in "上成" else 2), scale * 10 - 1)
    if g["ten"]:
        ten = words.chinese(g["ten"])
        return _as_vague(vague, ten - (2 if m[0].endswith("来") else -1), ten + (5 if m[0].endswith("来") else 9))
    if g["cheng"]:
        last = 5 if g["chengd"] == "半" else _value(g["chengd"])
        return f"{_value(g['cheng']) * 10 + last}%"
    if g["pair"]:
        first, second = (words.chinese(c) for c in g["pair"])
        scale = words.chinese("一" + g["pairs"]) if g["pairs"] else 1
        return _as_vague(vague, first * scale, second * scale)
    if g["run"]:
        return str(words.chinese(g["run"])) + (f".{words.decimals(g['dec'])}" if g["dec"] else "")
    if g["lone"]:
        return g["lone"].replace(g["lone"][-1], str(words.chinese(g["lone"][-1])))
    return str(words.mixed(g["mix"].replace(" ", ""))) if g["mix"] else "0.5"


def _english(m: re.Match[str], vague: list[Vague]) -> str | None:
    g = {k: v.lower() if v else v for k, v in m.groupdict().items()}
    if g["part"]:
        above, below = re.split(r"[ -]", g["part"])
        part = (words.english([above]) or 1) / words.PARTS[below if below in words.PARTS else below.removesuffix("s")]
        return _as_vague(vague, part - PART, part + PART, "ratio")
    if g["in"]:
        above, below = (float(w) if w.isdigit() else float(words.english([w]) or 0) for w in (g["in"], g["every"]))
        part = above / below if below else -1.0
        return _as_vague(vague, part - PART, part + PART, "ratio") if above < below else None
    if g["few"]:
        scale = words.english([g["few"]]) or 1
        return _as_vague(vague, 2 * scale, 10 * scale - 1)
    if g["many"]:
        return _as_vague(vague, *_MANY[g["many"]])
    if g["halfof"]:
        return str((words.english([g["halfw"]]) or 0) // 2)
    if g["half"]:
        return _as_vague(vague, 0.45, 0.55, "ratio")
    if g["mult"]:
        times = float(_MULTIPLES.get(g["mult"].replace("-", ""), 2))
        return _as_vague(vague, times * 0.95, times * 1.05, "multiple")
    if g["couple"] is not None:
        return "2 "
    if g["ord"]:
        return f"{words.ORDINALS[g['ord']]}th"
    return _english_run(g["run"], g["dec"])


def _english_run(run: str, behind: str | None) -> str | None:
    said = re.split(r"[\s-]+", run)
    if said in (["one"], ["zero"]) and not behind:
        return None  # one of them
    value = words.english(said)
    if value is None:
        return " ".join(str(words.english([w])) for w in said if w != "and")
    return str(value) + ("." + "".join(str(words.english([w])) for w in behind.split()) if behind else "")
