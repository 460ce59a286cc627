"""Words in another writing (knowledge/shorthand.yaml): members w/ coupons, member里cart了没pay的."""

from __future__ import annotations

import re
from functools import cache

from knowledge import catalog
from knowledge.catalog import HERE, Entry

FILE = "shorthand.yaml"
_CJK = r"[\u4e00-\u9fff]"
_APART = r"(?<![a-z0-9'/])(?<![a-z][ &/])", r"(?![a-z0-9'/])(?! [a-z])"


class Shorthand(Entry):
    short: dict[str, list[str]]
    mixed: dict[str, list[str]]


@cache
def _tables() -> tuple[dict[str, str], re.Pattern[str], dict[str, str], re.Pattern[str]]:
    """(hurried word → word, where such stand; English word → Chinese word, where such stand)."""
    file = catalog.validate(Shorthand, catalog.read_yaml(HERE / FILE), FILE)
    short = {s: word for word, group in file.short.items() for s in group}
    mixed = {s: word for word, group in file.mixed.items() for s in group}
    hurried = re.compile(rf"(?<![\w/.'])(?:{_any(short)})(?![\w/'])(?!\.\w)|(?<![\w/])w/(?=[a-z])")
    within = rf"{_APART[0]}(?P<word>{_any(mixed)}){_APART[1]}"
    beside = re.compile(rf"(?<={_CJK}) ?{within}(?P<right> (?={_CJK}))?|{within.replace('<word>', '<word2>')} ?(?={_CJK})")
    return short, hurried, mixed, beside


def _any(words: dict[str, str]) -> str:
    return "|".join(re.escape(w) for w in sorted(words, key=len, reverse=True))


def written_out(text: str) -> str:
    """A folded question with its words in their usual writing."""
    short, hurried, mixed, beside = _tables()
    if re.search(_CJK, text):
        return beside.sub(lambda m: mixed[m["word"] or m["word2"]], text)
    return hurried.sub(lambda m: short[m[0]] if m[0] in short else "with ", text)
