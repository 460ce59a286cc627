"""The rules for copy (copy_rules.yaml): what may not be said, in which channel, why, and what to say instead; and how a copy
states something about the offer (copy_claims.yaml).

A slip in the file is refused with the file, the place and the nearest valid key (CatalogError), as everywhere in the catalogue.
"""

from __future__ import annotations

import datetime as dt
import difflib
import re
from functools import cache
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BeforeValidator, Field, model_validator

from knowledge.catalog import HERE, Bilingual, CatalogError, Channel, Entry, read_yaml, validate

FILE = "copy_rules.yaml"
CLAIMS_FILE = "copy_claims.yaml"

# What a copy can state about the offer; the first rule that lists a kind answers for it.
ClaimKind = Literal["price", "coupon", "discount", "date", "stock", "gift", "benefit", "deadline"]
# What no pattern can say; tools/compliance.py holds a function for each.
CheckName = Literal[
    "signature", "opt_out", "opt_out_last", "caller", "call_opt_out", "link", "unknown_variable", "personal_variable"
]  # fmt: skip

# <word> in an expression; a group's (?<name> is none.
_WORD = re.compile(r"(?<!\(\?)<([a-z_]+)>")


def _compile(raw: Any) -> re.Pattern[str]:
    if not isinstance(raw, str):
        raise ValueError("a regular expression is needed")
    try:
        pattern = re.compile(raw, re.IGNORECASE)
    except re.error as e:
        raise ValueError(f"not a regular expression: {e}") from e
    if pattern.match(""):
        raise ValueError(f"{raw!r} matches the empty text, so it would find something everywhere")
    return pattern


Regex = Annotated[re.Pattern[str], BeforeValidator(_compile)]


class CopyPattern(Entry):
    """`rewrite` takes the place of what was found; \\1 stands for the first group."""

    find: Regex
    rewrite: str | None = None


class CopyRule(Entry):
    """One rule: `patterns`, or a named `check`, or the kinds of `claims` that must be in the offer. `aliases`: how people ask
    about it.

    `offer`: applies only when the offer is known (with) or only when it is not (without). `proof`: with an offer, the words
    are lawful where the data shows it (low_stock: something named in the text has at most `low_stock` pieces left).
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    name: Bilingual
    aliases: list[str] = []
    level: Literal["warn", "block"]
    channels: list[Channel] | None = None
    offer: Literal["with", "without"] | None = None
    check: CheckName | None = None
    claims: list[ClaimKind] = []
    patterns: list[CopyPattern] = []
    exceptions: list[Regex] = []
    proof: Literal["low_stock"] | None = None
    why: Bilingual
    rewrite: Bilingual | None = None
    source: Bilingual
    date: dt.date

    @model_validator(mode="before")
    @classmethod
    def _short_forms(cls, raw: Any) -> Any:
        """A pattern may be written as its expression alone, a rewrite that serves both languages as one text."""
        if not isinstance(raw, dict):
            return raw
        patterns = raw.get("patterns", [])
        if isinstance(patterns, list):
            raw = {**raw, "patterns": [{"find": p} if isinstance(p, str) else p for p in patterns]}
        if isinstance(raw.get("rewrite"), str):
            raw = {**raw, "rewrite": {"zh": raw["rewrite"], "en": raw["rewrite"]}}
        return raw

    @model_validator(mode="after")
    def _looks_for_one_thing(self) -> CopyRule:
        if sum(map(bool, (self.check, self.claims, self.patterns))) != 1:
            raise ValueError(f"{self.id}: one of `patterns`, `check` and `claims` is needed, and only one")
        return self


class CopyVariable(Entry):
    """A variable of a text by any of its names: its longest value in UTF-16 units, and whether it tells who somebody is."""

    names: list[str] = Field(min_length=1)
    units: int = Field(ge=1)
    personal: bool = False


class Disguise(Entry):
    """Letters or a character of the same sound in the place of a word: what `find` finds reads as `reads`."""

    find: Regex
    reads: str = Field(min_length=1)


class CopyRules(Entry):
    """`words` are filled into the rules' expressions (<word>). `no_sender`: a signature or a caller's name that is wholly this
    names nobody. `callers`: how a call says who calls, the name in the group `name`. `greetings` open a whole call."""

    variables: list[CopyVariable]
    words: dict[str, str] = {}
    lookalikes: dict[str, str]
    disguises: list[Disguise] = []
    opt_out: list[Regex] = Field(min_length=1)
    no_opt_out: list[Regex] = []
    service_notice: list[Regex] = []
    promotional: list[Regex] = []
    no_sender: list[Regex] = []
    callers: list[Regex] = []
    greetings: list[Regex] = []
    call_opt_out: list[Regex] = []
    low_stock: int = Field(ge=0)
    rules: list[CopyRule] = Field(min_length=1)

    @property
    def lengths(self) -> dict[str, int]:
        """Longest units of each variable, by name in lower case."""
        return {name.casefold(): v.units for v in self.variables for name in v.names}

    @property
    def personal(self) -> frozenset[str]:
        return frozenset(name.casefold() for v in self.variables if v.personal for name in v.names)


def _filled(find: str, words: dict[str, str], place: str) -> str:
    """`find` with its <words> filled in, and theirs; CatalogError names the word that is not there, or holds itself."""

    def word(m: re.Match[str]) -> str:
        if m[1] not in words:
            near = difflib.get_close_matches(m[1], list(words), n=1, cutoff=0.5)
            hint = f"; did you mean <{near[0]}>?" if near else ""
            raise CatalogError(f"{place}: no word <{m[1]}>{hint}")
        others = {name: text for name, text in words.items() if name != m[1]}
        return _filled(words[m[1]], others, place)

    return _WORD.sub(word, find)


class DayForm(Entry):
    shape: Literal["ymd", "md", "mon", "dmon", "d"]
    find: str


class ClockForm(Entry):
    shape: Literal["hm", "point", "zero"]
    find: str


class ClaimForm(Entry):
    """How a claim is worded. `role` tells apart what its numbers are: a list price, a deposit, hours left …"""

    kind: ClaimKind
    role: str
    find: str
    value_first: bool = False


class ClaimFile(Entry):
    words: dict[str, str]
    days: list[DayForm]
    clocks: list[ClockForm]
    forms: list[ClaimForm]

    def compiled(self, find: str, place: str) -> re.Pattern[str]:
        """`find` with its <words> filled in; CatalogError names the word that is not there."""
        try:
            return _compile(_filled(find, self.words, f"{CLAIMS_FILE}: {place}"))
        except ValueError as e:
            raise CatalogError(f"{CLAIMS_FILE}: {place}: {e}") from e


@cache
def claim_forms() -> ClaimFile:
    """The wordings of copy_claims.yaml; CatalogError when it is wrong."""
    return validate(ClaimFile, read_yaml(HERE / CLAIMS_FILE), CLAIMS_FILE)


@cache
def copy_rules() -> CopyRules:
    """The rules of copy_rules.yaml; CatalogError when it is wrong."""
    return parse(read_yaml(HERE / FILE), FILE)


class RuleText(NamedTuple):
    """What a rule says, without its compiled expressions: reading those costs more than finding a rule may."""

    id: str
    name: Bilingual
    aliases: tuple[str, ...]
    why: Bilingual
    source: Bilingual
    channels: tuple[str, ...]
    patterns: tuple[str, ...]


@cache
def rule_texts() -> tuple[RuleText, ...]:
    """What copy_rules.yaml says, for people to find; `copy_rules` is what checks the file."""
    raw = read_yaml(HERE / FILE)
    if not isinstance(raw, dict) or not isinstance(raw.get("rules"), list):
        raise CatalogError(f"{FILE}: a list of `rules` is needed")
    return tuple(_rule_text(rule, n) for n, rule in enumerate(raw["rules"]))


def _rule_text(raw: Any, n: int) -> RuleText:
    place = f"{FILE}: rules.{n}"
    if not isinstance(raw, dict) or not isinstance(raw.get("id"), str):
        raise CatalogError(f"{place}: an `id` is needed")
    name, why, source = (validate(Bilingual, raw.get(key), f"{place}.{key}") for key in ("name", "why", "source"))
    patterns = (p["find"] if isinstance(p, dict) else p for p in raw.get("patterns") or [])
    aliases, channels = (tuple(raw.get(key) or ()) for key in ("aliases", "channels"))
    return RuleText(raw["id"], name, aliases, why, source, channels, tuple(map(str, patterns)))


def parse(raw: Any, file: str) -> CopyRules:
    """`raw` as rules. Ids must not repeat, a lookalike is one character."""
    rules = validate(CopyRules, _with_words(raw, file), file)
    ids = [r.id for r in rules.rules]
    twice = next((i for i in ids if ids.count(i) > 1), None)
    if twice:
        raise CatalogError(f"{file}: rules: {twice} stands twice")
    long = next((k for k, v in rules.lookalikes.items() if len(k) != 1 or len(v) != 1), None)
    if long:
        raise CatalogError(f"{file}: lookalikes: {long!r}: one character stands in for one")
    return rules


def _with_words(raw: Any, file: str) -> Any:
    """`raw` with its <words> filled into the expressions of its rules; what has not the right shape is left for validation."""
    if not isinstance(raw, dict) or not isinstance(raw.get("rules"), list):
        return raw
    words = raw.get("words", {})
    if not isinstance(words, dict) or not all(isinstance(w, str) for w in words.values()):
        return raw

    def fill(value: Any, place: str) -> Any:
        if isinstance(value, str):
            return _filled(value, words, f"{file}: {place}")
        if isinstance(value, list):
            return [fill(v, f"{place}.{i}") for i, v in enumerate(value)]
        if isinstance(value, dict) and "find" in value:
            return {**value, "find": fill(value["find"], place)}
        return value

    def rule(entry: Any, place: str) -> Any:
        if not isinstance(entry, dict):
            return entry
        return {k: fill(v, f"{place}.{k}") if k in ("patterns", "exceptions") else v for k, v in entry.items()}

    return {**raw, "rules": [rule(entry, f"rules.{i}") for i, entry in enumerate(raw["rules"])]}
