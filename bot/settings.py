"""What the environment says, read once."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlparse

from tools.errors import NeedsPerson

_API = "https://api.telegram.org"
_RATE = 30.0  # messages a second that Telegram's own servers take from one bot


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


@dataclass(frozen=True)
class BotSettings:
    """What the Telegram bot needs. `shops` are workspaces; `state_url` None means state.sqlite in the first of them.

    `webhook_url` None means polling; else updates come to `listen` (host, port) with `secret` in their header.
    """

    token: str
    owners: frozenset[int]
    shops: tuple[Path, ...]
    api_url: str
    send_rate: float
    state_url: str | None
    webhook_url: str | None
    secret: str
    listen: tuple[str, int]

    @property
    def webhook_path(self) -> str:
        return urlparse(self.webhook_url or "").path or "/"


def bot_settings(env: Mapping[str, str], shop: Path) -> BotSettings:
    """Read from `env`; `shop` is the workspace where WARROOM_SHOPS names none. NeedsPerson when something is missing."""
    token = env.get("TELEGRAM_BOT_TOKEN", "").strip()
    if not token:
        raise NeedsPerson("no_token")
    owners = env.get("WARROOM_OWNER", "").replace(",", " ").split()
    if not owners or not all(o.isdigit() for o in owners):
        raise NeedsPerson("no_owner")
    webhook = env.get("WARROOM_WEBHOOK_URL", "").strip() or None
    if webhook is not None and urlparse(webhook).scheme not in ("http", "https"):
        raise NeedsPerson(
            "bad_setting", name="WARROOM_WEBHOOK_URL", value=webhook, example="https://bot.example.com/warroom"
        )
    host, _, port = env.get("WARROOM_WEBHOOK_LISTEN", "127.0.0.1:8443").rpartition(":")
    if not port.isdigit():
        raise NeedsPerson("bad_setting", name="WARROOM_WEBHOOK_LISTEN", value=port, example="127.0.0.1:8443")
    try:
        rate = float(env.get("WARROOM_SEND_RATE", _RATE))
    except ValueError:
        raise NeedsPerson(
            "bad_setting", name="WARROOM_SEND_RATE", value=env["WARROOM_SEND_RATE"], example="30"
        ) from None
    shops = tuple(Path(p) for p in env.get("WARROOM_SHOPS", "").split(os.pathsep) if p.strip())
    return BotSettings(
        token=token,
        owners=frozenset(map(int, owners)),
        shops=shops or (shop,),
        api_url=env.get("TELEGRAM_API_URL", _API).rstrip("/"),
        send_rate=rate,
        state_url=env.get("WARROOM_STATE_URL", "").strip() or None,
        webhook_url=webhook,
        # Every worker of one bot must know the same secret without being told: it follows from the token.
        secret=env.get("WARROOM_WEBHOOK_SECRET") or hashlib.sha256(f"webhook {token}".encode()).hexdigest()[:48],
        listen=(host, int(port)),
    )
