"""What the cells of a calendar or task table name: columns, kinds of phases, crowds, channels, metrics, campaigns.

The catalogue's own names decide (knowledge/*.yaml); what is none of them is not guessed. Texts are compared folded
(`proposals_dates.folded`): simplified, half width, lower case.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Literal, TypeVar

import prompts
from knowledge import catalog
from knowledge.catalog import Channel, Entry, Named
from knowledge.strategies import scenes
from tools import expressions, names
from tools.errors import AskAgain
from tools.proposals_dates import folded

Role = Literal[
    "title", "weak_title", "what", "purpose", "metric", "scene", "phase", "time", "first", "last", "lead", "crowd",
    "channel", "benefit", "owner", "campaign",
]  # fmt: skip
Kind = Literal["prepare", "pool", "presale", "preheat", "sale", "review"]
G = TypeVar("G", bound=str)
_LONGEST_HEADER = 24  # characters; what is longer is a sentence
_BRACKETS = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|【[^】]*】")
_LISTED = re.compile(r"[、,，;；/|+&\n]|和|及|与|(?<![a-z])and(?![a-z])|(?<![a-z])or(?![a-z])|或")
_MEASURED = re.compile(r"(?:率|数|额|值|客单价|rate|amount|value|share|size)$")
_PEOPLE = re.compile(r"(?:的)?(?:人群|客户|用户|消费者|顾客|人)$|\s+(?:people|customers|users|shoppers|crowd)$")


class Words(Entry):
    columns: dict[Role, list[str]]
    other_tables: list[str]
    phases: dict[Kind, list[str]]
    balance: list[str]
    member_day: list[str]
    whole: list[str]
    calendar_words: list[str]
    campaign_keys: dict[str, list[str]]
    channels: dict[Channel, list[str]]
    not_crowd_before: list[str]
    not_crowd_after: list[str]
    to_crowd: list[str]
    to_crowd_fill: list[str]


@cache
def words() -> Words:
    file = "proposals.yaml"
    return catalog.validate(Words, catalog.read_yaml(catalog.HERE / file), file)


def role_of(header: str) -> Role | None:
    """What a column holds by its title; the last word decides (策略描述 is a description)."""
    said = _BRACKETS.sub("", folded(header)).strip(" :：*#")
    return _last_of(said, words().columns) if 0 < len(said) <= _LONGEST_HEADER else None


def is_other_column(header: str) -> bool:
    """Whether a column is about goods or scores: price, stock, DSR."""
    said = folded(header).strip()
    return len(said) <= _LONGEST_HEADER and any(_found(w, said) for w in words().other_tables)


def kind_of(name: str) -> Kind | None:
    """The kind of phase that a name means (第一波预热 → preheat), or None."""
    return _last_of(_BRACKETS.sub("", folded(name)), words().phases)


def means(name: str, group: Literal["balance", "member_day", "whole"]) -> bool:
    return any(_found(w, folded(name)) for w in getattr(words(), group))


# --- crowds ------------------------------------------------------------------------------------------------------


def crowd_in_cell(text: str) -> str | None:
    """The crowd expression that a crowd cell names. A list (新客、老客) means all of them; None when one is unknown."""
    said = folded(text).strip(" 。.")
    if not said:
        return None
    if re.search(r"且|并且|(?<![a-z])not(?![a-z])|非|排除", said):
        try:
            return expressions.canonical(expressions.parse(said))
        except AskAgain:
            return None
    if key := _crowd_named(said):  # 加购/收藏未付款 is one name
        return key
    keys = [_crowd_named(part) for part in _LISTED.split(said) if part.strip()]
    return " or ".join(dict.fromkeys(k for k in keys if k)) if keys and all(keys) else None


def crowd_in_prose(text: str) -> tuple[str, str] | None:
    """(key, the words) of the one crowd that a sentence is about; None when there is none, or more than one."""
    said = folded(text)
    w = words()
    found: dict[str, str] = {}
    taken = [False] * len(said)
    for name, key in _names_of("crowds"):
        for m in re.finditer(_pattern(name), said):
            if any(taken[m.start() : m.end()]):
                continue
            taken[m.start() : m.end()] = [True] * len(m[0])
            ahead, behind = said[: m.start()].rstrip(), said[m.end() :].lstrip("的 ")
            if any(ahead.endswith(x) for x in w.not_crowd_after):
                return None  # 排除会员: who is left is not said
            if any(behind.startswith(x) for x in w.not_crowd_before):
                continue
            listed = bool(found) and re.search(r"(?:[和与及跟、/&]|(?<![a-z])and)$", ahead)  # 给会员和粉丝
            if len(name) < 4 and not (_PEOPLE.search(m[0] + behind[:2]) or _addressed(ahead) or listed):
                continue
            found[key] = m[0]
    return next(iter(found.items())) if len(found) == 1 else None


def _addressed(ahead: str) -> bool:
    w = words()
    for fill in w.to_crowd_fill:
        ahead = ahead.removesuffix(fill).rstrip()
    return any(ahead.endswith(x) for x in w.to_crowd)


def _crowd_named(text: str) -> str | None:
    said = names.fold(text)
    known = dict(_names_of("crowds"))
    for form in (said, _PEOPLE.sub("", said), re.sub(r"^(?:店铺|全部|所有|all |our )", "", said)):
        if key := known.get(form):
            return key
    return None


# --- channels, metrics, campaigns --------------------------------------------------------------------------------


def channels_in_cell(text: str) -> tuple[list[Channel], list[str]]:
    """The channels that a channel cell names, and its parts that name none."""
    found: list[Channel] = []
    unknown: list[str] = []
    for part in (p.strip() for p in _LISTED.split(folded(text))):
        if part:
            key = _channel_of(part)
            if key is None:
                unknown.append(part)
            elif key not in found:
                found.append(key)
    return found, unknown


def channels_in_prose(text: str) -> list[Channel]:
    """Channels by which a sentence says that something is done: 通过短信和专属客服邀请."""
    out: list[Channel] = []
    for m in re.finditer(
        r"(?:通过|经由|借助|(?<![a-z])via(?![a-z])|(?<![a-z])through(?![a-z])|(?<![a-z])by(?![a-z]))([^。,，;；.]{2,40})",
        folded(text),
    ):
        for part in _LISTED.split(m[1]):
            key = next((k for n, k in _channel_names() if part.strip().startswith(n) and len(n) > 1), None)
            if key is not None and key not in out:
                out.append(key)
    return out


def _channel_of(part: str) -> Channel | None:
    return next((key for name, key in _channel_names() if re.search(_pattern(name), part)), None)


@cache
def _channel_names() -> tuple[tuple[str, Channel], ...]:
    spoken = catalog.read_yaml(catalog.HERE / "words.yaml")["channels"]
    out: dict[str, Channel] = {}
    for key, more in words().channels.items():
        titles = (prompts.text(f"channel.{key}", lang) for lang in prompts.LANGS)
        for name in (key, key.replace("_", " "), *titles, *spoken.get(key, ()), *more):
            out.setdefault(folded(str(name)), key)
    return tuple(sorted(out.items(), key=lambda x: -len(x[0])))


def metric_in(text: str) -> str | None:
    """The one metric that a text names by a name of the catalogue (提升加购率); None for none, several or an ambiguous word."""
    said = names.fold(folded(text))
    known = _names_of("metrics")
    if exact := dict(known).get(said):
        return exact
    doubtful = {folded(w) for w in catalog.ambiguous_metrics()}
    found: set[str] = set()
    for name, key in known:
        if len(name) > 2 and _MEASURED.search(name) and name not in doubtful and re.search(_pattern(name), said):
            found.add(key)
            said = said.replace(name, " ")
    return found.pop() if len(found) == 1 else None


def scene_in(text: str) -> str | None:
    """The scene of the catalogue that a cell names."""
    said = folded(text).strip()
    return next((key for key, both in scenes().items() if said in (folded(both.zh), folded(both.en))), None)


def campaigns_in(text: str, known: Mapping[str, Sequence[str]]) -> set[str]:
    """The keys of the campaigns (key → names) that a text names; a longer name hides a shorter one in it."""
    said = folded(text)
    found: set[str] = set()
    forms = sorted(((folded(n), key) for key, all_names in known.items() for n in all_names), key=lambda x: -len(x[0]))
    for name, key in forms:
        if name and re.search(_pattern(name), said):
            found.add(key)
            said = re.sub(_pattern(name), " ", said)
    return found


def key_named(name: str) -> str | None:
    """The usual key of a campaign that everybody knows: double12 for 双12; of several names the first in the text."""
    said = folded(name)
    found = [
        (m.start(), -len(form), key)
        for key, forms in words().campaign_keys.items()
        for form in forms
        if (m := re.search(_pattern(folded(form)), said))
    ]
    return min(found)[2] if found else None


# --- matching ----------------------------------------------------------------------------------------------------


def _pattern(name: str) -> str:
    """`name` as a pattern: a word of letters or digits is found only whole."""
    left = r"(?<![a-z0-9])" if name[0].isascii() and name[0].isalnum() else ""
    right = r"(?![a-z0-9])" if name[-1].isascii() and name[-1].isalnum() else ""
    return left + re.escape(name) + right


def _found(name: str, text: str) -> bool:
    return bool(re.search(_pattern(name), text))


def _last_of(text: str, groups: Mapping[G, list[str]]) -> G | None:
    """The group whose word ends last in `text`, of those the longest."""
    best: tuple[tuple[int, int], G] | None = None
    for group, members in groups.items():
        for name in members:
            for m in re.finditer(_pattern(name), text):
                rank = (m.end(), len(name))
                if best is None or rank > best[0]:
                    best = (rank, group)
    return best[1] if best else None


@cache
def _names_of(kind: Literal["crowds", "metrics"]) -> tuple[tuple[str, str], ...]:
    """(folded name, key) of the catalogue's crowds or metrics, longest first."""
    entries: Mapping[str, Named] = catalog.crowds() if kind == "crowds" else catalog.metrics()
    out: dict[str, str] = {}
    for key, entry in entries.items():
        for name in names.words_of(key, entry):
            out.setdefault(names.fold(folded(name)), key)
    return tuple(sorted(out.items(), key=lambda x: -len(x[0])))
