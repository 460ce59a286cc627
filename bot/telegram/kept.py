"""What the state keeps of an answer for the buttons under it, packed: a briefing's facts carry a long statement each."""

from __future__ import annotations

import base64
import json
import threading
import zlib
from collections import OrderedDict

from bot.answer import Answer
from bot.conversation import About
from bot.understanding.drafting import DraftWish

_PACKED = 256
_lock = threading.Lock()
_packed: OrderedDict[int, tuple[Answer, DraftWish | None, str]] = OrderedDict()


def pack(found: Answer, wish: DraftWish | None) -> str:
    """As text for the state. An answer that was remembered (bot/recall.py) shares its facts with the first one: it is packed
    once; the entry holds the facts, so that their identity cannot become another's."""
    key = id(found.facts)
    with _lock:
        known = _packed.get(key)
    if known is not None and known[0].facts is found.facts and known[0].text == found.text and known[1] == wish:
        return known[2]
    document = {"answer": found.model_dump(mode="json"), "wish": wish.model_dump() if wish else None}
    text = base64.b64encode(zlib.compress(json.dumps(document, ensure_ascii=False).encode(), 1)).decode()
    with _lock:
        _packed[key] = (found, wish, text)
        while len(_packed) > _PACKED:
            _packed.popitem(last=False)
    return text


def unpack(text: str) -> tuple[Answer, About]:
    """The answer, and what a further question about it is about."""
    document = json.loads(zlib.decompress(base64.b64decode(text)))
    found = Answer.model_validate(document["answer"])
    wish = DraftWish.model_validate(document["wish"]) if document["wish"] else None
    return found, About(found.interpretation, wish)
