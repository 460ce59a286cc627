"""Words in another writing (knowledge/shorthand.yaml): members w/ coupons, member里cart了没pay的."""

from __future__ import annotations

import re
from functools import cache

from knowledge import catalog
from knowledge.catalog import HERE, Entry

FILE = "shorthand.yaml"
_CJK = r"[\u4e00-\u9fff]"
_BEFORE = r"(?<![a-z0-9'/])(?<![a-z][ &/])"  # apart from other English words
_AFTER = r"(?![a-z0-9'/])(?! [a-z])"


class Shorthand(Entry):
    short: dict[str, list[str]]
    mixed: dict[str, list[str]]


@cache
def _tables() -> tuple[dict[str, str], dict[str, str]]:
    """(hurried word → word, English word → Chinese word)."""
    file = catalog.validate(Shorthand, catalog.read_yaml(HERE / FILE), FILE)
    short = {s: word for word, group in file.short.items() for s in group}
    return short, {s: word for word, group in file.mixed.items() for s in group}


@cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    """(a hurried word, a run of known English words beside a Chinese character, one word of such a run)."""
    short, mixed = map(_any, _tables())
    run = rf"{_BEFORE}(?:{mixed})(?: (?:{mixed}))*{_AFTER}"
    return (
        re.compile(rf"(?<![\w/.'])(?:{short})(?![\w/'])(?!\.\w)|(?<![\w/])w/(?=[a-z])", re.A),
        re.compile(rf"(?<={_CJK}) ?{run}(?: (?={_CJK}))?|{run} ?(?={_CJK})"),
        re.compile(rf" ?(?<![a-z])(?P<word>{mixed})(?![a-z]) ?"),
    )


def _any(words: dict[str, str]) -> str:
    return "|".join(re.escape(w) for w in sorted(words, key=len, reverse=True))


def written_out(text: str) -> str:
    """A folded question with its words in their usual writing."""
    short, mixed = _tables()
    hurried, runs, one = _patterns()
    if re.search(_CJK, text):
        return runs.sub(lambda run: one.sub(lambda m: mixed[m["word"]], run[0]), text)
    return hurried.sub(lambda m: short.get(m[0], "with "), text)
