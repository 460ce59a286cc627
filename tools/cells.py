"""Texts for files that a spreadsheet opens: every CSV that leaves goes through here.

A cell that begins like a formula is run when the file is opened (=cmd|…), and what stands in it came from customers. Stored
data keeps such a text as it is; an apostrophe in front makes it a text wherever it is written out, and import takes the
apostrophe off ids again (tools/repairs.py).
"""

from __future__ import annotations

import re

# A Chinese spreadsheet takes the full-width signs too; blanks in front, also those that are not seen, are skipped.
_FORMULA = re.compile(
    r"[\s\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u3164\ufeff\x00-\x1f]*[=+\-@＝＋－＠]|[\t\r\n]"
)
_NEGATIVE = re.compile(r"-\d+(?:\.\d+)?")


def plain(value: object, *, numbers: bool = False) -> str:
    """`value` as a cell's text ("" for None); one that a spreadsheet would run gets an apostrophe in front.

    `numbers`: a negative number may stand as it is, where people are to see and mend what a file said.
    """
    text = "" if value is None else str(value)
    if not _FORMULA.match(text) or (numbers and _NEGATIVE.fullmatch(text)):
        return text
    return "'" + text
