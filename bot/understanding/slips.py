"""Slips of the keyboard in a question: 会圆 for 会员. Places are kept: a word sounds like another of its length."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from bot.understanding.acts import act_spans
from bot.understanding.lexicon import Lexicon
from knowledge import catalog
from knowledge.textnorm import simplified

if TYPE_CHECKING:
    from knowledge.spelling import Spelling

_RUN = re.compile(r"[\u4e00-\u9fff]{2,}")


def mended(text: str, lexicon: Lexicon) -> str:
    """A folded question in which pieces that no word takes up are read as the crowd, metric or act that they sound like."""
    rest = list(text)
    for m in lexicon.find(text):
        if m.end - m.start > 1:
            rest[m.start : m.end] = " " * (m.end - m.start)
    for start, end in act_spans("".join(rest)):
        if end - start > 1:  # 会圆买丹: the 买 alone may be a part of the slip
            rest[start:end] = " " * (end - start)
    runs = list(_RUN.finditer("".join(rest)))
    if not runs:
        return text
    out = list(text)
    for run in runs:
        out[run.start() : run.end()] = _spelling().mended(run[0])
    return "".join(out)


@cache
def _spelling() -> Spelling:
    from knowledge.spelling import Spelling
    from knowledge.words import is_word

    entries = [*catalog.crowds().values(), *catalog.metrics().values()]
    names = {simplified(name) for e in entries for name in (e.name.zh, *e.aliases)}
    return Spelling({*names, *_ACTS}, lambda word: word not in _RARE and is_word(word))


_RARE = ("会元",)  # words that the dictionary has and nobody means here
_ACTS = (
    "付款",
    "买单",
    "下单",
    "结账",
    "成交",
    "进店",
    "加购",
    "收藏",
    "定金",
    "尾款",
    "退款",
    "入会",
    "短信",
    "领券",
    "核销",
)
