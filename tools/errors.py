"""Every error a person can meet, drawn as one tree. This file imports nothing from the project but the texts.

    WarRoomError            one clear sentence and what to do next, in zh and en
    ├── AskAgain            the asker (a person, or a model) can repair the request: a name, a period, a wording
    ├── NeedsPerson         somebody has to do something first: import data, mend a file, free a lock
    └── Broken              our own fault: the sentence says so and where the details are

Each error has a stable `code`; its sentences stand in prompts/texts.yaml under `error.<code>` and `hint.<code>`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import prompts


class WarRoomError(Exception):
    """Base of the tree.

    `code` names the texts; `details` are their variables (a mapping of language to text where it differs).
    """

    exit_status = 1

    def __init__(self, code: str, **details: Any) -> None:
        self.code = code
        self.details = details
        super().__init__(code)

    def message(self, lang: str) -> str:
        return prompts.text(f"error.{self.code}", lang, **self._in(lang))

    def hint(self, lang: str) -> str:
        return prompts.text(f"hint.{self.code}", lang, **self._in(lang))

    def _in(self, lang: str) -> dict[str, Any]:
        return {k: v[lang] if isinstance(v, dict) else v for k, v in self.details.items()}

    def __str__(self) -> str:
        return f"{self.message('en')} {self.hint('en')}".strip()

    def as_json(self, lang: str) -> dict[str, dict[str, str]]:
        return {"error": {"code": self.code, "message": self.message(lang), "hint": self.hint(lang)}}


class AskAgain(WarRoomError):
    """The request named something that does not exist or cannot be read; asking differently helps."""


class NeedsPerson(WarRoomError):
    """Data, a file or a setting is missing or broken; somebody must act before this can be answered."""


class Broken(WarRoomError):
    """A fault of ours."""


def refuse_no_file(path: Path) -> None:
    """NeedsPerson when there is nothing at `path`, or a folder."""
    if not path.exists():
        raise NeedsPerson("file_missing", path=str(path))
    if path.is_dir():
        raise NeedsPerson("file_is_folder", path=str(path))
