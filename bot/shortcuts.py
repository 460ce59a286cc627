"""Commands that are questions in the war room's own words; the same in Telegram and in the terminal."""

from __future__ import annotations

import prompts

# In the order in which they are listed.
QUESTIONS = ("today", "brief", "phase", "metrics", "crowd", "draft", "ask")


def question_for(name: str, about: str, lang: str) -> str:
    """What /name (with `about` behind it) asks; KeyError when it is none of QUESTIONS."""
    if name not in QUESTIONS:
        raise KeyError(name)
    if name == "ask":
        return about or prompts.text("question.help", lang)
    return prompts.text(f"question.{name}_of", lang, about=about) if about else prompts.text(f"question.{name}", lang)
