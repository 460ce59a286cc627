"""Answer → terminal or plain text. The text's only markup is **bold**."""

from __future__ import annotations

import re

from bot.answer import Answer

_BOLD = re.compile(r"\*\*(.+?)\*\*")


def plain(answer: Answer) -> str:
    """Without markup."""
    return _BOLD.sub(r"\1", answer.text)


def terminal(answer: Answer, *, colour: bool) -> str:
    """Bold as the terminal shows it."""
    return _BOLD.sub("\033[1m\\1\033[0m", answer.text) if colour else plain(answer)
