"""A touch message put together: an angle's sentences with the slots that have data, in the frame of its channel."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from knowledge.catalog import Channel
from knowledge.copy_templates import FORM_OF, Angle, Frame, Part, Purpose, copy_file, fill, slots_of

_EMOJI = re.compile("[\U0001f000-\U0001faff\u2600-\u27bf\u2b00-\u2bff\ufe0f\u200d\u20e3]+ ?")
_BENEFIT = "benefit"
_ENDS = "。！？!?…"


@dataclass(frozen=True)
class Sentence:
    """A filled sentence, the slots in it, and which of its part's wordings it is."""

    text: str
    slots: frozenset[str]
    keep: int
    part: Part
    wording: int


def sentences(angle: Angle, purpose: Purpose, channel: Channel, values: Mapping[str, str]) -> list[Sentence]:
    """What the data lets the angle say, in order; a benefit that the request gives comes after the first sentence."""
    found = [s for part in angle.parts if (s := _worded(part, values, 0)) is not None]
    if _BENEFIT in values:
        form = FORM_OF[channel]
        say = purpose.benefit.get(form) or copy_file().benefit[form]
        part = Part(say=[say], keep=1)
        benefit = _worded(part, values, 0)
        found[1:1] = [benefit] if benefit else []
    return found


def _worded(part: Part, values: Mapping[str, str], begin: int) -> Sentence | None:
    """The part in its first wording from `begin` on whose slots have data."""
    for i, text in enumerate(part.say[begin:], begin):
        filled = fill(text, dict(values))
        if filled is not None:
            return Sentence(filled, frozenset(slots_of(text)), part.keep, part, i)
    return None


def shorter_and_shorter(full: list[Sentence], values: Mapping[str, str]) -> Iterator[list[Sentence]]:
    """`full`, then without its least important sentence, and so on; at last what must stay, in plainer wordings."""
    left = list(full)
    yield left
    while any(s.keep > 1 for s in left):
        least = max(s.keep for s in left)
        drop = max(i for i, s in enumerate(left) if s.keep == least)
        left = left[:drop] + left[drop + 1 :]
        yield left
    for i, sentence in enumerate(left):
        while (plainer := _worded(left[i].part, values, left[i].wording + 1)) is not None:
            if len(plainer.text) >= len(sentence.text):
                break
            left = [*left[:i], plainer, *left[i + 1 :]]
            yield left


def framed(said: list[Sentence], channel: Channel, *, signature: str, opt_out: str, link: str | None) -> str:
    """The whole message: head, sentences, link and tail of the channel. A link stands between blanks."""
    frame = copy_file().frames[channel]
    body = _joined([s.text for s in said], frame)
    if link and FORM_OF[channel] != "many" and channel != "ai_call":
        body += f" {link}"
    emoji = f"{frame.emoji} " if frame.emoji else ""
    head = frame.head.replace("{signature}", signature)
    tail = frame.tail.replace("{opt_out}", opt_out)
    if tail[:1] in _ENDS and body[-1:] in _ENDS:
        tail = tail[1:]
    return f"{emoji}{head}{body}{tail}"


def _joined(texts: list[str], frame: Frame) -> str:
    out = ""
    for text in texts:
        # A sentence that ends itself takes no comma after it.
        joint = frame.joint if out and not (out[-1] in _ENDS and frame.joint in "，。") else ""
        out += joint + text
    return out


def without_emoji(text: str) -> str:
    return _EMOJI.sub("", text)
