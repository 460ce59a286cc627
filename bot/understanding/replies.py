"""What a short message refers to: an option that was asked back, or an earlier question of the same conversation."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.answer import Interpretation
from bot.understanding.drafting import DraftWish
from bot.understanding.lexicon import fold
from knowledge import catalog

_ORDINAL = re.compile(
    r"(?:就|我?选|我要|要|看)?(?:第)?\s*([1-9一二三四两])\s*(?:个|种|项|条)?(?:吧|的|呗|好了)?"
    r"|(?:the )?(first|second|third|fourth|former|latter|last)(?: one)?(?: please)?"
    r"|(?:option |number |no\.? ?)(\d)|(前者|"
    r"后者|最后一?个|前一个|后一个|前面那个|后面那个)"
)
_NTH = {
    "一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "first": 1, "second": 2, "third": 3, "fourth": 4, "former": 1, "latter": 2,
    "前者": 1, "后者": 2, "前一个": 1, "后一个": 2, "前面那个": 1, "后面那个": 2,
}  # fmt: skip
_BOTH = re.compile(
    r"(?:两个|几个|全部|全)?都(?:要|看|给我|来|可以|列出来)?(?:吧|看看)?|全部|全要|all(?: of them)?|both(?: of them)?(?: please)?"
)
_AROUND = re.compile(
    r"我(?:说的|指的|问的|要的|想看的?)?是|我(?:要|选|看|想看|说|指)|就是|就|选|按|用|看|那个|这个|那种|这种|那群|那批|的人|"
    r"口径|算|吧|呗|呢|啊|的$"
    r"|\b(?:the|one|ones|i mean|i meant|i want|please|use|that|this|it's|go with|by|people|customers)\b|[,，。.!！?？\s]",
    re.A,
)
_LONGEST = 24  # characters of a reply that only points at an option
# 行，刚才那条短信再加一句; back to that message.
_THAT_DRAFT = re.compile(
    r"(?:刚才|刚刚|前面|上面|之前|刚写)(?:写?的?)?(?:那|这)?(?:条|段|版|个)?(?:短信|文案|话术|推送|消息|口播)|回到(?:刚才|"
    r"那条|文案)|\b(?:back to|about) (?:that|the) (?:message|draft|text|copy|sms|push)\b"
    r"|\b(?:that|the earlier|the last|the previous) (?:message|draft|text|copy|push)\b",
    re.A,
)
# A step of the plan shown before, and its people: 第一步那254人, 给第2条的人写短信, draft one for step 3.
STEP = re.compile(
    r"第\s*(?P<n>[一二两三四五六七八九]|[1-9])\s*(?:步|条|项|件(?!半|\d|[一-九]折))(?:任务|动作)?(?:里|中|的)?(?:那|这)?(?:个|些|批|群)?"
    r"(?:\d[\d,]*\s*(?:个|位|名)?)?(?:人群|人|客户|会员|用户)?"
    r"|\b(?:the \d[\d,]* )?(?:(?:people|customers|those|ones) )?(?:(?:in|of|from) )?(?:step|action|task) (?P<m>[1-9])\b",
    re.A,
)
_TELLING = 4  # … that tells an option by its characters alone
_SENTENCE = 60  # … of one that says in a sentence which way of counting is meant
_POINTS = re.compile(
    r"那个|这个|那种|这种|那类|那款|口径|分母|[按拿用以]|除以|除|占|里(?:头|面)?|当中|做底|为底|打底|算|\b(?:ones?|"
    r"out of|per|of|base|divided|over|against|not|"
    r"denominator|versions?)\b",
    re.A,
)
_ASKS_ANEW = re.compile(
    r"[昨前今明]天|[昨今明]日|\d+[号月日.]|[周月]|多少|几个|怎么|为什么|啥|什么|各|城市|等级|yesterday|today|june|how|"
    r"what|why|which|by city"
)
_NOT_THIS = re.compile(
    r"(?:不是|而不是|不要|别|不按|不用|不看)[^,，。;； ]{1,12}|\b(?:not|rather than|instead of|don't want)(?: just|"
    r" only| the| of)* [a-z ]{3,24}",
    re.A,
)
_WAY = re.compile(
    r"口径|分母|算法|(?:按|以|用)[^,，]{1,6}(?:算|来算|做底|为底)|\bdenominators?\b|\bbased on\b|\bbasis\b|\bdivided by\b",
    re.A,
)
# Whom a formula divides by, and how people say that.
_OF_WHOM = (
    (
        r"访客|进店|visit",
        r"进店|来店|到店|到访|上门|来过?的|来逛|访客|进来|逛|看的|流量|uv|visit|traffic|came|walk|brows",
    ),
    (
        r"人群|crowd",
        r"人群|全部|所有|全量|总人数|总数|总人群|整个|整体|全体|crowd|everyone|everybody|whole|all\b|total|entire",
    ),
    (r"加购|cart", r"加购|加车|购物车|车里|cart|basket"),
    (r"定金|deposit", r"定金|订金|deposit"),
    (r"发送|触达|sent", r"发的|发出|触达|发送|sent"),
    (r"送达|deliver", r"送达|收到|deliver"),
    (r"点击|click", r"点击|点了|点开|click"),
)
_TO_PEOPLE = re.compile(
    r"人|客户|会员|用户|[他她]们|写|发|短信|文案|\b(?:people|customers|them|write|draft|text|message|sms|send)\b", re.A
)
_ASIDE = ("smalltalk", "help", "unsupported", "phase")


def _by_formula(said: str, options: Sequence[str]) -> str | None:
    """The one option whose formula is of the people that a reply names: 进店的人里付钱的那种, not visitors, the whole crowd."""
    alone = any(re.fullmatch(rf"(?:按|就)?(?:{here})(?:的|人|数)*(?:吧|呗)?", said) for _, here in _OF_WHOM)
    if len(said) > _SENTENCE or _ASKS_ANEW.search(said) or not (alone or _POINTS.search(said)):
        return None
    meant = _NOT_THIS.sub("", said)
    formulas = [fold(o) for o in options]
    if not all("÷" in f or " / " in f for f in formulas):
        return None
    scores = []
    for formula in formulas:
        of = re.split("÷| / ", formula)[-1]
        scores.append(sum(bool(re.search(there, of) and re.search(here, meant)) for there, here in _OF_WHOM))
    best = max(scores)
    return options[scores.index(best)] if best and scores.count(best) == 1 else None


def only_points(text: str) -> bool:
    """第二个, the first one: nothing but the place of an option."""
    return bool(_ORDINAL.fullmatch(fold(text).strip("。.!！ ")))


def chosen(text: str, options: Sequence[str]) -> str:
    """The option that a reply to a question back points to: by its place (第一个, the latter) or by a part of its name that no
    other option has; else the reply as it is."""
    if not options:
        return text
    said = fold(text).rstrip("。.!！ ")
    match = _ORDINAL.fullmatch(said)
    if match:
        word = next(g for g in match.groups() if g)
        n = len(options) if word.startswith(("最后", "last")) else _NTH.get(word) or int(word)
        return options[n - 1] if n <= len(options) else text
    if _BOTH.fullmatch(said):
        return "、".join(re.split("[（(]", o)[0] for o in options)
    if (meant := _by_formula(said, options)) is not None:
        return meant
    core = _AROUND.sub("", said)
    if len(core) < 2 or len(said) > _LONGEST:
        return text
    names = [_AROUND.sub("", fold(re.split("[（(]", o)[0])) for o in options]
    fitting = [o for o, name in zip(options, names, strict=True) if core in name]
    if not fitting and len(core) >= _TELLING:  # 尾款没付的, of 付定金未付尾款
        said_by = set(re.sub("没有?|还", "未", core)) - {"的"}
        fitting = [o for o, name in zip(options, names, strict=True) if said_by <= set(name)]
    least = min(fitting, key=len, default=text)
    return least if all(set(_AROUND.sub("", least)) <= set(o) for o in fitting) else text  # 加购那种: no 收藏 in it


def recounted(text: str, counted: Sequence[str]) -> str | None:
    """The other way of counting the ratio asked about before, 换成进店那个口径; None where a message names none."""
    if len(counted) != 1 or not _WAY.search(text):
        return None
    known = catalog.metrics()
    for keys in catalog.ambiguous_metrics().values():
        options = [f"{known[k].name.zh}（{known[k].meaning.zh}）" for k in keys]
        if counted[0] in keys and (meant := _by_formula(text, options)) is not None:
            return keys[options.index(meant)]
    return None


def of_step(
    text: str, previous: Interpretation | None, steps: Sequence[str | None]
) -> tuple[str, Interpretation | None]:
    """A message about a step of the plan just shown, as one about that step's people; as it is where the step has none."""
    m = STEP.search(fold(text)) if previous is not None and previous.intent == "plan" else None
    if m is None or previous is None or not _TO_PEOPLE.search(fold(text)):
        return text, previous
    said = m["n"] or m["m"]
    n = int(said) if said.isdigit() else "零一二三四五六七八九".find(said.replace("两", "二"))
    crowd = steps[n - 1] if n <= len(steps) else None
    if crowd is None:
        return text, previous
    pointing = STEP.sub(" them " if m["m"] else "他们", fold(text), count=1).strip()
    return pointing, previous.model_copy(update={"crowds": [crowd], "filters": []})


def leaned_on(
    text: str, asked: Sequence[tuple[Interpretation, DraftWish | None]]
) -> tuple[Interpretation | None, DraftWish | None]:
    """Of what was asked so far, latest last, what a new message leans on: the draft it speaks of, else the last question that
    was more than small talk or an aside about nobody."""
    if not asked:
        return None, None
    if _THAT_DRAFT.search(fold(text)):
        draft = next((a for a in reversed(asked) if a[0].intent == "draft"), None)
        if draft is not None:
            return draft
    about = [a for a in asked if a[0].intent not in _ASIDE or a[0].crowds not in ([], ["all"])]
    return (about or asked)[-1]
