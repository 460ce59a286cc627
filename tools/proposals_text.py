"""How drafts are written: one line a value, what is missing marked, text of a document never more than text.

A document's words stand in quotes or behind a `#` on one line, so nothing in them can become a key of the file.
"""

from __future__ import annotations

import hashlib
import json
import re

import prompts
from knowledge.textnorm import simplified

GAP = '"???"'  # in quotes, because a plain ? cannot begin a value between braces
_LONGEST_COMMENT = 120  # characters of the document's text
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\xa0\u2028\u2029\ufeff\u200b-\u200f\u202a-\u202e]+")
_HEAD = "# warroom draft · "


def plain(text: str) -> str:
    """`text` on one line, without what cannot be seen."""
    return re.sub(r"\s+", " ", _UNSEEN.sub(" ", text)).strip()


def quoted(text: str) -> str:
    """`text` as a YAML string on one line."""
    return json.dumps(plain(text), ensure_ascii=False)


def said(key: str, lang: str, **words: object) -> str:
    """A comment's text; words of the document are cut to a readable length."""
    cut = {k: _cut(plain(v)) if isinstance(v, str) else v for k, v in words.items()}
    return prompts.text(key, lang, **cut)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_COMMENT else text[:_LONGEST_COMMENT].rstrip() + "…"


def line(indent: int, text: str, note: str = "") -> str:
    return " " * indent + text + (f"  # {note}" if note else "")


def language_of(texts: list[str]) -> str:
    """The language that comments are written in: that of most of the document's cells."""
    chinese = sum(bool(re.search(r"[\u4e00-\u9fff]", t)) for t in texts)
    return "zh" if 2 * chinese >= len(texts) else "en"


def slug(text: str) -> str:
    """The letters, digits and hyphens of a name; "" when it has no letter."""
    found = re.sub(r"[^a-z0-9]+", "-", simplified(text).lower()).strip("-")[:40]
    return found if re.search(r"[a-z]", found) else ""


def short_hash(*texts: str) -> str:
    return hashlib.sha256("\x1f".join(plain(t) for t in texts).encode()).hexdigest()[:6]


def is_gap(value: object) -> bool:
    """Whether a value read from a draft is still to be filled in: ??? or ???-01-05."""
    return isinstance(value, str) and value.strip().startswith("???")


# --- the head line: whose draft it is, and whether anybody edited it ---------------------------------------------------


def with_head(source: str, body: str, accepted: bool = False) -> str:
    """`body` under a line that names its document and holds the digest of what was written."""
    return f"{_HEAD}{plain(source)} · {digest(body)}{' · accepted' if accepted else ''}\n{body}"


def read_head(text: str) -> tuple[str, str, bool] | None:
    """(document, digest of what was written, accepted) of a draft; None for a file that is no draft of ours."""
    first = text.partition("\n")[0]
    m = re.fullmatch(re.escape(_HEAD) + r"(.+) · ([0-9a-f]{16})( · accepted)?\s*", first)
    return (m[1], m[2], m[3] is not None) if m else None


def as_accepted(text: str) -> str:
    """The draft with its head saying that it was accepted; a file without our head stays as it is."""
    first, end, rest = text.partition("\n")
    return (
        text
        if read_head(text) is None or first.rstrip().endswith("· accepted")
        else f"{first.rstrip()} · accepted{end}{rest}"
    )


def body_of(text: str) -> str:
    return text.partition("\n")[2]


def digest(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()[:16]
