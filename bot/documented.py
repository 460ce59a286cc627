"""Questions that the shop's own documents treat.

铸铁锅最低能卖多少钱 is no question about the shop's sales when a document says it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.answer import Interpretation
from knowledge import documents
from knowledge.textnorm import simplified
from knowledge.words import words_of
from tools.context import Context
from tools.documents import folder_of
from tools.playbooks import hints_at

if TYPE_CHECKING:
    from bot.wiring import WarRoom

# What is answered with numbers or dates of the shop's data although a word of the question changed nothing.
_DOUBTED = ("metric", "crowd", "phase", "smalltalk", "unsupported")


def documented(room: WarRoom, ctx: Context, question: str, what: Interpretation) -> Interpretation:
    """`what`, as a question to the playbooks where words that changed nothing stand in the document that answers best."""
    if what.intent not in _DOUBTED or not what.unused or not documents.files(folder_of(room.shop.root)):
        return what
    hints = hints_at(ctx, what.crowds, what.campaign, what.phase, what.channel, what.metrics)
    best = next((h.passage for h in room.search.search(question, 1, hints=hints) if h.passage.own), None)
    if best is None:
        return what
    said = simplified(f"{best.section.zh}\n{best.text}").lower()
    unused = [word for part in what.unused for word in words_of(part).words if len(word) > 1]
    return what.model_copy(update={"intent": "knowledge"}) if any(word in said for word in unused) else what
