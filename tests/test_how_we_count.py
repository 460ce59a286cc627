"""The playbook on how the war room counts and sends says what the code does: each numeral in it is a constant of the code."""

from __future__ import annotations

import re

from knowledge import catalog
from knowledge.chunks import sections
from knowledge.copy_templates import copy_file
from tools import sms
from tools.shop import Thresholds


def numerals(anchor: str) -> list[str]:
    section = sections()[f"how-we-count#{anchor}"]
    return re.findall(r"\d+(?::\d\d)?", section.text)


def test_its_numerals_are_those_of_the_code() -> None:
    rules, usual = catalog.unpaid(), Thresholds()
    assert numerals("quiet-hours") == [rules.quiet_from, rules.quiet_to, rules.night_from]
    assert numerals("sms-length") == [str(sms.SINGLE), str(sms.SINGLE), str(sms.JOINED)]
    assert numerals("attribution") == [str(usual.attribution_hours)]
    assert numerals("new-and-old") == [str(usual.old_customer_days)]
    assert numerals("left-out") == [str(copy_file().touch_gap_days)]


def test_the_channels_with_quiet_hours_are_named() -> None:
    section = sections()["how-we-count#quiet-hours"]
    said = section.text.split("之间不发")[0]
    names = {"sms": "短信", "card_sms": "卡片短信", "ai_call": "外呼", "exclusive_service": "专属客服"}
    assert set(catalog.unpaid().quiet_channels) == set(names)
    assert all(name in said for name in names.values())
