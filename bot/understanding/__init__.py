"""From a question and the conversation before it to an Interpretation: what was asked, about whom, over which days."""

from bot.understanding.interpret import Understood, interpret

__all__ = ["Understood", "interpret"]
