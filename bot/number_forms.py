"""How numbers, units, days and times are written, in Chinese and English: the patterns that bot/numerals.py reads with.

They are for plain texts (bot/plain_text.py): half width, simplified, digits for numerals.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.plain_text import VAGUE
from bot.seen_text import BULLET, BULLET_END

# What a number counts. "thing" is 个 (people or a count), "number" has no unit, "order" is 第 2, "day_of" 第 2 天, "code" a
# numeral inside a word (SPF50), "CNY?" what 满 or 减 say; anything else is a unit that no fact has (minutes, size, discount).
Kind = str

SCALES = {
    "万亿": 1e12, "亿": 1e8, "千万": 1e7, "百万": 1e6, "万": 1e4, "千": 1e3, "百": 1e2, "k": 1e3, "w": 1e4, "m": 1e6, "mn": 1e6,
    "bn": 1e9, "b": 1e9, "thousand": 1e3, "million": 1e6, "billion": 1e9, "hundred": 1e2,
}  # fmt: skip
UNITS: tuple[tuple[Kind, str], ...] = (
    ("points", r"个?百分点|percentage[ -]points?\b|points?\b|pts?\b|pp\b|ppts?\b|个点(?![击评赞])"),
    ("ratio", r"%(?! ?(?:points?|pts?)\b)|percent\b|per cent\b|pct\b|成(?!交|功|本|员|为|了|立|长|果|熟|效|单|人|分|绩|都)"),
    ("points", r"% ?(?:points?|pts?)\b"),
    ("permille", "‰"),
    ("discount", r"折(?!算|扣)"),
    ("count", r"人次|条|单(?!独|品)|件|款|笔|张|项|种|类|家(?!庭)|场|步|轮|次(?!要)|批|组|份|套|瓶|波|度|遍|封|字(?!段)|"
              r"支|盒|版|档|句|行(?!业)|点(?![击评赞])"),
    ("people", r"个?(?:多)?人(?!群|次|均|民|气|工)|名(?!单|称|字|额|目|次|义|下)|位(?!置|数|于|移)|"
               r"个?(?:非|老|新)?(?:会员|客户|顾客|买家|粉丝|用户|访客|老客|新客|消费者|成员)(?!日|等级|人群|价|券|群)"),
    ("hours", r"个?(?:小时|钟头)|hours?\b|hrs?\b|h\b"),
    ("minutes", r"分钟|minutes?\b|mins?\b"),
    ("seconds", r"秒|seconds?\b|secs?\b"),
    ("weeks", r"个?(?:星期|礼拜)|周(?!年|边)|weeks?\b"),
    ("months", r"个(?:多)?月|months?\b"),
    ("days", r"个?(?:自然|工作)?天(?!猫)|(?:business |working )?days?\b|日(?=内|之内|游)|d\b"),
    ("CNY", r"元|块(?:钱)?|圆|yuan\b|rmb\b|cny\b|kuai\b"),
    ("multiple", r"倍|times\b(?! (?:a|per|each) )|x\b|×(?!\d)|-?fold\b"),
    ("years", r"年(?!\d)|years?\b|岁"),
    ("size", r"ml\b|kg\b|g\b|mg\b|cm\b|mm\b|km\b|l\b|毫升|克|斤|公斤|寸|米(?!兰)"),
    ("thing", r"个"),
)  # fmt: skip
UNIT = re.compile("|".join(f"(?P<u{i}>{pattern})" for i, (_, pattern) in enumerate(UNITS)), re.IGNORECASE)
_CURRENCY = r"(?:HK\$|NT\$|US\$|[¥$€£]|RMB|CNY|USD|EUR|GBP|人民币)"
OWN = {"¥": "CNY", "rmb": "CNY", "cny": "CNY", "人民币": "CNY"}
NUMBER = re.compile(
    rf"(?=[+\-¥$€£\d{BULLET}{VAGUE}HNURCEGhnurceg人])(?P<sign>(?<![\w)\]%.])[+-])?(?P<cur>{_CURRENCY} ?)?(?P<sign2>[+-](?=\d))?"
    rf"(?:{BULLET}(?P<bullet>\d{{1,2}}){BULLET_END}|{VAGUE}(?P<vague>.)|"
    r"(?P<num>\d{1,3}(?:,\n?\d{3})+(?![\d])|(?<![\d.,])\d{1,3}(?:[ ]\d{3})+(?![\d,])|\d+)(?P<dec>\.\d+)?"
    r"(?P<exp>[eE][+-]?\d{1,3}(?!\w)| ?[×x*] ?10 ?\^ ?[+-]?\d{1,3}|\^\d{1,3})?)"
    r"(?P<scale> ?(?:万亿|亿|千万(?!别)|百万|万|千|百)(?![分名])|(?:k|w|mn|bn|m|b)(?![a-z\d])|"
    r" (?:thousand|million|billion|hundred)\b)?"
    r"(?P<more>[多余来几+](?!\d)|\+)?",
    re.IGNORECASE,
)
MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_MONTH = (
    r"(?P<mon>Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?|"
    r"Nov(?:ember)?|Dec(?:ember)?)"
)
TO = r" ?(?:-|–|—|~|至|到|to|until|through) ?"
_NOT_COUNTED = r"(?! *(?:[人个名位元块件单笔款倍%]|小时|成(?!交)|people|members|hours|percent|yuan))"
# Each with what stands in every text that it can match: most texts need few.
_DAY, _TH = r"(?P<d>\d{1,2})(?!\d)", "(?:st|nd|rd|th)"
_YEAR = r"(?P<y>(?:19|20)\d\d)"
DATES: tuple[tuple[Sequence[str], re.Pattern[str]], ...] = (
    (("20", "19"), re.compile(rf"(?<![\d.]){_YEAR} ?[-/.年] ?(?P<m>\d{{1,2}}) ?[-/.月] ?{_DAY} ?[日号]?")),
    (
        ("月",),
        re.compile(
            rf"(?<!\d)(?P<m>\d{{1,2}}) ?月 ?{_DAY}(?: ?[日号])?(?:{TO}(?P<d2>\d{{1,2}})(?!\d)(?= ?[日号]))?"
            rf"(?: ?[日号])?{_NOT_COUNTED}"
        ),
    ),
    (("年",), re.compile(rf"(?<!\d){_YEAR} ?年(?: ?(?P<m>\d{{1,2}}) ?月)?")),
    (
        MONTHS,
        re.compile(
            rf"\b{_MONTH}\.? (?:the )?{_DAY}{_TH}?(?:{TO}(?P<d2>\d{{1,2}})(?!\d){_TH}?)?(?:,? {_YEAR})?{_NOT_COUNTED}"
        ),
    ),
    (MONTHS, re.compile(rf"(?<!\d)(?P<d>\d{{1,2}}){_TH}?(?: of)? {_MONTH}\b(?:,? {_YEAR})?")),
    (("日", "号"), re.compile(r"(?<!\d)(?P<d>\d{1,2}) ?(?:-|–|—|~|至|到) ?(?P<d2>\d{1,2}) ?[日号](?!内)")),
    (
        ("日", "号"),
        re.compile(r"(?<![\d月近去前后每])(?<![近去前后每] )(?P<d>\d{1,2}) ?(?:号(?!店)|日(?![内均]|之内))"),
    ),
    (("月",), re.compile(r"(?<![\d个])(?P<m>\d{1,2}) ?月(?:份|初|底|上旬|中旬|下旬)?(?!\d)")),
    (("th", "st", "nd", "rd"), re.compile(rf"(?<!\d)(?P<d>\d{{1,2}}){_TH}\b")),
)
_HALF_DAY = (
    r"(?=[凌早上中下傍今明昨晚夜\d])"
    r"(?:(?P<half>凌晨|早上|早晨|上午|中午|下午|傍晚|今晚|明晚|昨晚|晚上|晚间|夜里|晚|早) ?)?"
)
_AM = r"(?P<ap>[ap]\.?m\b\.?)"
TIMES: tuple[tuple[Sequence[str], re.Pattern[str]], ...] = (
    (
        (":",),
        re.compile(rf"{_HALF_DAY}(?<![\d:])(?P<h>\d{{1,2}}):(?P<mi>\d\d)(?::\d\d)?(?!:?\d)(?: ?{_AM})?", re.IGNORECASE),
    ),
    (
        ("点", "时"),
        re.compile(
            rf"{_HALF_DAY}(?<!\d)(?P<h>\d{{1,2}}) ?(?:点钟?|时(?!间|段|候|常|限|效))"
            r"(?:(?P<mi30>半)| ?(?P<mi>\d{1,2}) ?分(?!之|钟)|整|(?P<mi15>一刻|1刻))?(?![击评赞开])"
        ),
    ),
    (("m",), re.compile(rf"(?<![\d:])(?P<h>\d{{1,2}}) ?{_AM}", re.IGNORECASE)),
    (("o'clock",), re.compile(r"(?<!\d)(?P<h>\d{1,2}) o'clock", re.IGNORECASE)),
)
PAIR = re.compile(
    r"(?<![\d/.,\-:])(?P<a>\d{1,4})(?P<by> ?[/⁄:] ?|-)(?P<b>\d{1,4})(?![\d/:]|-\d|\.\d|,\d{3}|%| ?[万千百亿kw](?![a-z]))"
)
LIST_NUMBER = re.compile(
    r"^[ \t>]*(?:[-*•·#]+ )?(?:#+ )?(?:(?:\((?P<in>\d{1,2})\)|(?P<n>\d{1,2})(?:[.)](?=[ \t])|[、:](?!\d)))|"
    rf"{BULLET}(?P<b>\d{{1,2}}){BULLET_END})", re.MULTILINE,
)  # fmt: skip
_UNIT_WORDS = "|".join(pattern for _, pattern in UNITS)
STEP = re.compile(
    r"(?:步骤|方案|方法|要点|做法|选项|变体|建议|注意|备注|说明|附注|表格?|图|"
    r"\b(?:step|plan|option|tip|note|table|figure|variant|version|draft|action|part)) ?"
    rf"(?P<n>\d{{1,2}})(?!\d|[.,]\d| ?[%万千百亿]|[kw]| ?(?:{_UNIT_WORDS}))",
    re.IGNORECASE,
)
ABOUT = re.compile(
    r"(?:约|大概|大致|差不多|估计|上下|about|around|roughly|approximately|circa|some|~|≈|-ish) ?[¥$]?\Z", re.IGNORECASE
)
OVER = re.compile(
    r"(?:超过?|逾|高于|至少|不少于|不低于|over|more than|above|at least|upwards of|exceed(?:s|ing)?) ?[¥$]?\Z",
    re.IGNORECASE,
)
UNDER = re.compile(
    r"(?:近|将近|接近|不到|不足|低于|至多|nearly|almost|close to|under|below|less than|fewer than|up to|just short of) ?[¥$]?\Z",
    re.IGNORECASE,
)
_BY = r"(?:了|出)? ?(?:by )?(?:about |约 ?)?\Z"
UP = re.compile(
    r"(?:涨|升|增|增长|增加|上升|上涨|提升|提高|高|多|高出|多出|\bup|rose|grew|increased?|gained|climbed|jumped)" + _BY,
    re.IGNORECASE,
)
DOWN = re.compile(
    r"(?:跌|降|下降|下滑|下跌|降低|减少|低|少|回落|掉|\bdown|fell|dropped|decreased?|declined|slipped)" + _BY,
    re.IGNORECASE,
)
UP_AFTER = re.compile(r" ?(?:more|higher|up|above|ahead|growth|increase|rise|better)\b", re.IGNORECASE)
DOWN_AFTER = re.compile(r" ?(?:fewer|less|lower|down|below|behind|decline|decrease|drop|fall|worse)\b", re.IGNORECASE)
OF = re.compile(r" of (?:the |our |all )?")
NEXT_WORD = re.compile(r" ?([A-Za-z][A-Za-z'-]*)")
# Words behind which a number's noun is not looked for.
STOP = frozenset({
    "of", "in", "at", "by", "and", "to", "for", "on", "with", "from", "is", "are", "was", "were", "have", "has", "had", "that",
    "than", "vs", "or", "the", "a", "an", "until", "till", "before", "after", "per", "this", "last", "next", "today", "yesterday",
    "now", "out", "each", "left",
})  # fmt: skip
PEOPLE_WORD = re.compile(
    r"(?:people|persons?|members?|customers?|buyers?|carters?|visitors?|users?|fans?|followers?|shoppers?|subscribers?|non-members?|"
    r"vips?|contacts|relations|recipients|who)$",
    re.IGNORECASE,
)
LETTERS = re.compile(r"[A-Za-z]+\Z")
# Letters right before a number that leave it a number.
OPEN_WORDS = frozenset(["top", "rmb", "cny", "usd", "eur", "gbp", "day", "wave", "step", "no", "phase", "week", "vip"])
