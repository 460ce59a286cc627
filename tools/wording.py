"""How days and moments read in an answer."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import prompts

_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def day(value: date, lang: str, *, year: bool = False) -> str:
    """6 月 17 日 · Jun 17; with `year` 2026 年 6 月 17 日 · Jun 17, 2026."""
    if lang == "en":
        return f"{_MONTHS[value.month - 1]} {value.day}" + (f", {value.year}" if year else "")
    return (f"{value.year} 年 " if year else "") + f"{value.month} 月 {value.day} 日"


def moment(value: datetime, now: datetime, lang: str) -> str:
    """今天 11:00 · 明天 09:30 · 6 月 20 日 20:00. Midnight that ends a day reads as 24:00 of that day."""
    clock = value.strftime("%H:%M")
    on = value.date()
    if clock == "00:00" and value > now:
        on, clock = on - timedelta(days=1), "24:00"
    gap = (on - now.date()).days
    if gap in (0, 1):
        name = {("zh", 0): "今天", ("zh", 1): "明天", ("en", 0): "today", ("en", 1): "tomorrow"}[(lang, gap)]
    else:
        name = day(on, lang, year=on.year != now.year)
    return f"{name} {clock}"


def channel(asked: str, lang: str) -> str:
    """短信 for `sms`, 不用短信 for `not sms`."""
    name = prompts.text(f"channel.{asked.removeprefix('not ')}", lang)
    return prompts.text("plan.not_channel", lang, channel=name) if asked.startswith("not ") else name


def span(first: date, last: date, lang: str) -> str:
    if first == last:
        return day(first, lang)
    return f"{day(first, lang)}–{day(last, lang)}"
