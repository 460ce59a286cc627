"""The yardstick: the smallest python-telegram-bot echo bot, as its own examples write it."""

from __future__ import annotations

import logging
import os
from typing import Any

from telegram import Update
from telegram.ext import Application, MessageHandler, filters


async def echo(update: Update, context: Any) -> None:
    assert update.message is not None
    assert update.message.text is not None
    await update.message.reply_text(update.message.text)


def main() -> None:
    logging.getLogger("httpx").setLevel(logging.WARNING)
    api = os.environ["TELEGRAM_API_URL"]
    application = Application.builder().token(os.environ["TELEGRAM_BOT_TOKEN"]).base_url(f"{api}/bot").build()
    application.add_handler(MessageHandler(filters.TEXT, echo))
    print("online", flush=True)
    application.run_polling(poll_interval=0)


if __name__ == "__main__":
    main()
