"""How long an SMS is: UCS-2 units, billed segments, the text with its variables at their longest (domain: channels and copy)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

SINGLE = 70  # units that one message holds
JOINED = 67  # units left in each when several are joined: the rest tells the phone their order

# {昵称}, ${name}, #name#: the forms of the usual providers.
_VARIABLE = re.compile(r"\$\{\s*([^\W\d][\w ]{0,19}?)\s*\}|\{\s*([^\W\d][\w ]{0,19}?)\s*\}|#([^\W\d]\w{0,19})#")
_FILLER = "国"  # one unit; what a longest name would be written in


@dataclass(frozen=True)
class Variable:
    """A place in a text that is filled in at sending: characters [start, end), and its name."""

    name: str
    start: int
    end: int


def units(text: str) -> int:
    """UTF-16 code units of `text`: 1 a character, 2 for one beyond the basic plane (most emoji)."""
    return len(text) + sum(character > "\uffff" for character in text)


def segments(units: int) -> int:
    """Messages that an SMS of `units` is billed as: one up to 70 units, else 67 each; 0 for an empty text."""
    if units <= SINGLE:
        return int(units > 0)
    return -(-units // JOINED)


def variables_in(text: str) -> list[Variable]:
    """The variables of `text`, in order."""
    return [Variable(m[m.lastindex or 0], m.start(), m.end()) for m in _VARIABLE.finditer(text)]


def longest(text: str, lengths: Mapping[str, int]) -> str:
    """`text` with each variable at its longest. `lengths` gives units by name in lower case; one without stays as written."""
    out, done = [], 0
    for v in variables_in(text):
        if v.name.casefold() in lengths:
            out += [text[done : v.start], _FILLER * lengths[v.name.casefold()]]
            done = v.end
    return "".join([*out, text[done:]])
