"""The copy of touch messages as data (copy.yaml): purposes, their angles sentence by sentence, and which purpose fits whom when.

A sentence holds slots ({item}, {end}, …). The shop's data fills them (tools/copy_slots.py); a sentence whose slots have no data
is said in its next form or left out. Unknown keys, slots, purposes and crowds are refused with file, place and the nearest.
"""

from __future__ import annotations

import difflib
import re
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from knowledge import catalog
from knowledge.catalog import HERE, Bilingual, CatalogError, Channel, Entry

FILE = "copy.yaml"
Moment = Literal[
    "prepare", "pool", "presale", "preheat", "sale", "last_day", "balance", "balance_over", "review", "outside",
]  # fmt: skip
Form = Literal["short", "talk", "many"]
Reason = Literal["paid", "owing", "opted_out", "no_phone", "not_in_service", "not_in_group", "touched"]

# What a sentence may refer to; tools/copy_slots.py fills them.
SLOTS = (
    "event", "wave", "end", "start", "hero", "hero_price", "hero_in_stock", "carted", "carted_price", "carted_in_stock",
    "presale_item", "deposit", "deposit_end", "balance_start", "balance_end", "own_coupon", "coupon_end", "some_coupon",
    "some_coupon_end", "any_coupon", "member_day", "benefit",
)  # fmt: skip
_SLOT = re.compile(r"\{([^{}]*)\}")
# The form that a channel speaks in: a line to one person, one to one, or to many at once.
FORM_OF: dict[Channel, Form] = {
    "sms": "short",
    "card_sms": "short",
    "push": "short",
    "exclusive_service": "talk",
    "ai_call": "talk",
    "group": "many",
    "live": "many",
}


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


class Part(Entry):
    """One sentence: the first wording of `say` whose slots all have data. `keep` 1 is never left out, 3 is the first to go."""

    say: Annotated[list[str], BeforeValidator(_as_list), Field(min_length=1)]
    keep: Literal[1, 2, 3] = 2


class Angle(Entry):
    name: Bilingual
    parts: list[Part] = Field(min_length=1)


class Forms(Entry):
    short: list[Angle] = Field(min_length=2)
    talk: list[Angle] = Field(min_length=2)
    many: list[Angle] = Field(min_length=2)


class Purpose(Entry):
    """What a message is for. `within`: the crowd expression that alone can be meant; `left_out` names the others."""

    name: Bilingual
    aliases: list[str] = []
    moments: list[Moment] = Field(min_length=1)
    within: str | None = None
    left_out: Bilingual | None = None
    excludes: list[Literal["paid", "owing"]] = []
    discount: bool = True  # whether a price cut that the request gives may be said
    benefit: dict[Form, str] = {}  # how a given benefit is said, where not as in `benefit` of the file
    forms: Forms


class Frame(Entry):
    """A channel: what stands around the sentences, how they are joined, who cannot be reached through it."""

    head: str = ""
    tail: str = ""
    joint: str = ""
    limit: int | None = None  # units to aim at
    emoji: str = ""
    drops: list[Reason] = []


class Phrase(Entry):
    """`pattern` in a request is said as `say`, in which \\1 is its first group."""

    pattern: str
    say: str


class CopyFile(Entry):
    touch_gap_days: int = Field(ge=1)
    many_people: int = Field(ge=1)
    coupon_share: float = Field(gt=0, le=1)
    discount_words: list[str]
    benefit_in_chinese: list[Phrase]
    benefit: dict[Form, str]
    frames: dict[Channel, Frame]
    choose: dict[str, dict[Moment, str]]
    main_crowd: dict[Moment, str]
    purposes: dict[str, Purpose]


@cache
def copy_file() -> CopyFile:
    return load(catalog.read_yaml(HERE / FILE))


def load(raw: Any) -> CopyFile:
    """`raw` as checked copy data; CatalogError names the place and the nearest valid word."""
    file = catalog.validate(CopyFile, raw, FILE)
    for phrase in file.benefit_in_chinese:
        try:
            re.compile(phrase.pattern)
        except re.error as e:
            raise CatalogError(f"{FILE}: benefit_in_chinese: {phrase.pattern!r}: {e}") from e
    crowds = [*catalog.crowds(), "default"]
    for crowd, by_moment in file.choose.items():
        _known(crowd, crowds, f"choose.{crowd}: no crowd")
        for moment, chosen in by_moment.items():
            place = f"choose.{crowd}.{moment}"
            _known(chosen, list(file.purposes), f"{place}: no purpose")
            if moment not in file.purposes[chosen].moments:
                raise CatalogError(f"{FILE}: {place}: {chosen!r} is not for this moment (purposes.{chosen}.moments)")
    for moment, crowd in file.main_crowd.items():
        _known(crowd, crowds, f"main_crowd.{moment}: no crowd")
    for key, purpose in file.purposes.items():
        for form in ("short", "talk", "many"):
            for angle in getattr(purpose.forms, form):
                _check_angle(angle, f"purposes.{key}.forms.{form}: {angle.name.zh}")
    return file


def _check_angle(angle: Angle, place: str) -> None:
    if not any(p.keep == 1 for p in angle.parts):
        raise CatalogError(f"{FILE}: {place}: one sentence must be kept always (keep: 1)")
    for part in angle.parts:
        for text in part.say:
            for slot in slots_of(text):
                _known(slot, list(SLOTS), f"{place}: no slot")


def _known(word: str, valid: list[str], problem: str) -> None:
    if word not in valid:
        near = difflib.get_close_matches(word, valid, n=1, cutoff=0.5)
        raise CatalogError(f"{FILE}: {problem} {word!r}" + (f"; did you mean {near[0]!r}?" if near else ""))


def slots_of(text: str) -> list[str]:
    return _SLOT.findall(text)


def fill(text: str, values: dict[str, str]) -> str | None:
    """The wording with its slots filled; None when one has no data. A blank stands before a time or an amount (114 元)."""
    if any(slot not in values for slot in slots_of(text)):
        return None
    marked = _SLOT.sub(lambda m: f"\0{values[m[1]]}\0", text).replace("\0\0", "\0")
    marked = re.sub(r"(?<=[\u4e00-\u9fff])\0(?=\d+ )", " ", marked)
    return re.sub(r" ?\0(?=[\u4e00-\u9fff])", "", marked).replace("\0", "")


def purpose_for(crowds: list[str], moments: list[Moment]) -> str:
    """The purpose that fits people of these crowds (the un-paid one first, then as named). `moments`: the nearest first."""
    choose = copy_file().choose
    known = catalog.crowds()
    unpaid = [c for c in crowds if c == "balance_due" or (c in known and known[c].cart)]
    for crowd in [*unpaid, *crowds, "default"]:
        for moment in moments:
            if moment in choose.get(crowd, {}):
                return choose[crowd][moment]
    raise CatalogError(f"{FILE}: choose.default: nothing for {moments[0]!r}")


def in_chinese(benefit: str) -> str:
    """A benefit as customers read it: 20 off → 立减 20 元."""
    for phrase in copy_file().benefit_in_chinese:
        match = re.fullmatch(phrase.pattern, benefit, re.IGNORECASE)
        if match:
            return match.expand(phrase.say)
    return benefit


def cheapens(benefit: str) -> bool:
    """Whether a benefit makes the same item cheaper; a gift or a service does not."""
    return any(word in benefit.lower() for word in copy_file().discount_words)
