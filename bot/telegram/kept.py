"""What the state keeps of an answer for the buttons under it, packed: a briefing's facts carry a long statement each."""

from __future__ import annotations

import base64
import json
import zlib

from bot.answer import Answer
from bot.conversation import About
from bot.understanding.drafting import DraftWish


def pack(found: Answer, wish: DraftWish | None) -> str:
    document = {"answer": found.model_dump(mode="json"), "wish": wish.model_dump() if wish else None}
    return base64.b64encode(zlib.compress(json.dumps(document, ensure_ascii=False).encode(), 1)).decode()


def unpack(text: str) -> tuple[Answer, About]:
    """The answer, and what a further question about it is about."""
    document = json.loads(zlib.decompress(base64.b64decode(text)))
    found = Answer.model_validate(document["answer"])
    wish = DraftWish.model_validate(document["wish"]) if document["wish"] else None
    return found, About(found.interpretation, wish)
