"""The same question, at the same moment, on the same data, has the same answer: what a shop was just asked is not computed
again. A group asks alike in the same minute; that is when it counts."""

from __future__ import annotations

import json
from collections.abc import Callable

from langchain_core.messages import HumanMessage

from bot.answer import Answer
from bot.wiring import WarRoom
from tools.context import Context

KEPT = 256
# Answers that depend on nothing but the data, the documents, the moment and what was understood.
_STEADY = ("metric", "crowd", "plan", "phase", "draft", "brief", "knowledge")


def recall(room: WarRoom, ctx: Context, message: HumanMessage, compute: Callable[[], Answer]) -> Answer:
    """The answer to `message`: remembered, or computed now."""
    understood = message.additional_kwargs
    if understood["interpretation"]["intent"] not in _STEADY:
        return compute()
    key = (str(message.text), ctx.at, room.stamp(), json.dumps(understood, sort_keys=True, ensure_ascii=False))
    with room.recent_lock:
        known = room.recent.get(key)
        if known is not None:
            room.recent.move_to_end(key)
            return known
    found = compute()
    with room.recent_lock:
        room.recent[key] = found
        while len(room.recent) > KEPT:
            room.recent.popitem(last=False)
    return found
