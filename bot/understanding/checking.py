"""The text that somebody wants checked before it goes out, and what is said about it."""

from __future__ import annotations

import re

from bot.understanding.lexicon import fold

# What is said of a text and of nothing else; and what is said of anything, so that the text has to be named too (这条, 短信).
_SURELY = re.compile(
    r"合规|违规|违法|违禁|广告法|极限词|敏感词|禁用词|踩(?:雷|线|红线|坑)|红线|雷区|擦边|过审|审核|审一?[下审遍]|审得?过|"
    r"过得了审|超(?:没超)?(?:了)?字数|字数(?:超|够|行|多)|校对|把把?关|能不能[发过]"
    r"|能[发过](?:吗|不|么|出去)|过一?[遍下]\s*$|检查(?:一下|下|一遍)?\s*$|\bcheck(?:一下|下)?\s*$|\bcheck (?:this|the)|"
    r"\bproof ?read|\bvet\b|\bcomplian(?:t|ce)\b|\blawful\b"
    r"|\b(?:break|violate|against) (?:any |the |a )?(?:rule|law)s?|\b(?:go|send) (?:it |this )?out\b|\b(?:can|could) (?:we|"
    r"i) send\b|\b(?:ok|okay|fine|safe|alright) to (?:send|say|post|write|use)\b|\bcharacter limit\b"
    r"|\b(?:can|could|may|are) (?:we|i) (?:allowed to )?(?:say|claim|write|call)\b|\bget (?:us )?(?:in(?:to)? trouble|"
    r"flagged|fined)\b",
    re.A,
)
_PERHAPS = re.compile(
    r"检查|能(?:不能)?[上写说用放印]|可以[写说用放上印]|看看|看一?[下眼]|瞅|瞧|审|毛病|风险|行不|行吗|成不|可以吗|可不可以|"
    r"妥|合适|有没有问题|有问题[吗么不]|没问题[吗吧]|"
    r"这么写|这样写|通过|ok[吗不么]|罚|\bcheck\b|\bis (?:this|it)\b|\blegal\b|\breview this\b|\bok\b|\bokay\b"
    r"|\ballowed\b|\btoo long\b|\blook (?:this |it )?over\b|\b(?:any|a) (?:issue|problem)s?\b|\bfine\b",
    re.A,
)
_COPY = re.compile(
    r"短信|简讯|文案|话术|消息|这[条句段则话]|这几[个句]字?|这么[写说]|这样[写说]|口播|push|推送|标题|主图|海报|详情页|"
    r"朋友圈|公告|群里|社群|banner|copy|text|message|sms|wording|line|headline|poster|post|this|\bsay\b|\bwrite\b|写",
    re.A,
)
# How a short message ends or begins that goes out to people.
_A_MESSAGE = re.compile(
    r"^【[^】]{1,20}】|^\[[^\]]{1,20}\]|拒收|回复?[rtn]d?退?|退订|opt out|reply (?:r|stop)", re.IGNORECASE
)
OPT_OUT = re.compile(r"拒收|退订|回复?\s?[RTN]\b|opt ?out|reply (?:R|STOP)\b", re.IGNORECASE | re.A)
_QUOTED = re.compile(
    r"[“\"「『《‘](?P<text>.{2,}?)[”\"」』》’]|(?<![A-Za-z])'(?P<single>.{4,}?)'(?![A-Za-z])", re.DOTALL
)
_INTRODUCED = re.compile(r"^(?P<head>[^：:\n【]{2,80}?)\s*(?:[：:\n]\s*|(?=【))(?P<text>.{2,})$", re.DOTALL)
# 史上最强618这几个字能上海报吗; 全网最低价，这么写行吗
_BEHIND = re.compile(
    r"^(?P<text>.{3,}?)[，,。!！\s]*(?P<tail>(?:我想|我们想)?(?:这(?:几个字|[句段]话|[句条段则]|么[写说]|样[写说]|个词|"
    r"种说法|个说法|话)|这)[^，,。：:]{0,8}?"
    r"(?:能|行|可以|合规|违规|违法|有没有|有问题|没问题|审|过|ok|妥|踩)[^，,。：:]{0,12}?)[?？。]*$",
    re.DOTALL | re.IGNORECASE,
)
# 检查 push 点击领取 100 元红包; 这句有没有违规 我们家防晒是最好用的
_AFTER_A_BLANK = re.compile(
    r"^(?P<head>(?:帮我|麻烦|请)?(?:检查|审|看)(?:一下|下)?\s*(?:这[条句段则])?(?:短信|文案|push|群消息|话术|口播)?"
    r"|[^\s，,。]{0,10}(?:违规|违法|合规|能发|可以发)(?:吗|么|不|没)?)[?？]?\s+(?P<text>.{4,})$",
    re.DOTALL | re.IGNORECASE,
)
_SAID = re.compile(
    r"^(?P<head>(?:is it (?:ok|okay|fine|legal|allowed) to (?:say|claim|write|call it)|(?:can|could|may|are) (?:we|"
    r"i) (?:allowed to )?(?:say|claim|write|call it)))\s+(?P<text>.{4,}?)"
    r"(?P<where>\s+(?:in|on) (?:an?|the|our) [a-z ]{2,30})?[?.]*$",
    re.IGNORECASE,
)


def text_to_check(question: str) -> tuple[str, str] | None:
    """(what is said about it, the text to check) when the question asks whether a text is all right and gives the text."""
    asked = question.strip()
    introduced = _INTRODUCED.match(asked)
    if introduced and _asks_to_judge(introduced["head"], introduced["text"]):
        return introduced["head"], _unquoted(introduced["text"].strip())
    quoted = _QUOTED.search(asked)
    if quoted:
        around = f"{asked[: quoted.start()]} {asked[quoted.end() :]}"
        if _asks_to_judge(around, ""):
            return around, (quoted["text"] or quoted["single"]).strip()
        return None
    after = _AFTER_A_BLANK.match(asked)
    if after and re.search(r"[\u4e00-\u9fff]{3}", after["text"]) and not _only_about(after["text"]):
        return after["head"], after["text"].strip()
    behind = _BEHIND.match(asked)
    if behind and _asks_to_judge(behind["tail"], behind["text"]) and not _only_about(behind["text"]):
        return behind["tail"], behind["text"].strip()
    said = _SAID.match(asked)
    if said:
        return f"{said['head']}{said['where'] or ''}", said["text"].strip()
    return None


def _asks_to_judge(head: str, text: str) -> bool:
    said = fold(head)
    if _SURELY.search(said):
        return True
    return bool(_PERHAPS.search(said) and (_COPY.search(said) or _A_MESSAGE.search(text)))


def _only_about(text: str) -> bool:
    """帮我看看这句能发吗, 老客短信这样写行吗: the words before point at a text instead of being one."""
    rest = re.sub(
        r"帮(?:我|忙)?|看看|看一?下|请问?|麻烦|你|我|们|想|问|一下|那|就|短信|文案|群里?|push|给|会员|老客|新客|发|的|说|写|把",
        "",
        fold(text),
    )
    return len(rest.strip(" ，,。")) < 3


def _unquoted(text: str) -> str:
    match = _QUOTED.fullmatch(text)
    return (match["text"] or match["single"]) if match else text
