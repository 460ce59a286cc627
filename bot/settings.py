"""What the environment says, read once."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """`lang` is the language of errors and fixed texts outside a conversation: "zh" or "en"."""

    shop: Path
    lang: str

    @staticmethod
    def from_environment() -> Settings:
        locale = os.environ.get("WARROOM_LANG") or os.environ.get("LC_ALL") or os.environ.get("LANG") or ""
        return Settings(
            shop=Path(os.environ.get("WARROOM_SHOP", "shop")),
            lang="zh" if locale.lower().startswith("zh") else "en",
        )
