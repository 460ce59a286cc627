"""Calendars, phases and waves: every day of both campaigns against the oracle, and by hand at the edges."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from bot.conversation import Question, answer
from bot.wiring import WarRoom
from knowledge import catalog
from tests import oracle
from tools import workspace
from tools.campaigns import Campaign, campaign_for, date_campaign, day_end, earlier_same, next_campaign

C618 = date_campaign(catalog.campaign_templates()["618"], 2026, "618")
D11 = date_campaign(catalog.campaign_templates()["double11"], 2026, "double11")


def as_oracle(c: Campaign) -> oracle.Campaign:
    return oracle.Campaign(c.key, tuple((p.key, p.first, p.last) for p in c.phases), c.cohort_date, c.recruit_from)


@pytest.mark.parametrize("campaign", [C618, D11], ids=["618", "double11"])
def test_waves_equal_the_oracle_on_every_day(campaign: Campaign) -> None:
    day = campaign.first
    while day <= campaign.last + timedelta(days=20):
        wave = campaign.wave_at(day)
        assert (wave.first, wave.last) == oracle.wave(day_end(day), as_oracle(campaign)), day
        day += timedelta(days=1)


@pytest.mark.parametrize(
    ("day", "phase", "first", "last"),
    [
        (date(2026, 5, 1), "pool", date(2026, 5, 1), date(2026, 5, 23)),
        (date(2026, 5, 24), "presale", date(2026, 5, 24), date(2026, 6, 3)),
        (date(2026, 6, 3), "sale1", date(2026, 5, 24), date(2026, 6, 3)),
        (date(2026, 6, 4), "preheat2", date(2026, 6, 4), date(2026, 6, 20)),
        (date(2026, 6, 20), "sale2", date(2026, 6, 4), date(2026, 6, 20)),
        (date(2026, 6, 25), "review", date(2026, 6, 4), date(2026, 6, 20)),
    ],
)
def test_the_618_by_hand(day: date, phase: str, first: date, last: date) -> None:
    found = C618.phase_at(day)
    assert found is not None
    assert found.key == phase
    assert (C618.wave_at(day).first, C618.wave_at(day).last) == (first, last)


def test_the_calendars_are_those_of_the_domain() -> None:
    assert [(p.key, f"{p.first:%m-%d}", f"{p.last:%m-%d}") for p in C618.phases] == [
        ("pool", "05-01", "05-23"), ("presale", "05-24", "05-28"), ("preheat1", "05-29", "05-31"), ("sale1", "06-01", "06-03"),
        ("preheat2", "06-04", "06-15"), ("sale2", "06-16", "06-20"), ("review", "06-21", "06-30"),
    ]  # fmt: skip
    assert [(p.key, f"{p.first:%m-%d}", f"{p.last:%m-%d}") for p in D11.phases] == [
        ("prepare", "09-01", "09-30"), ("pool", "10-01", "10-23"), ("presale", "10-24", "10-31"), ("sale1", "11-01", "11-03"),
        ("preheat2", "11-04", "11-10"), ("sale2", "11-11", "11-11"), ("review", "11-12", "11-30"),
    ]  # fmt: skip
    assert [f"{d:%m-%d}" for d in C618.member_days] == ["05-26", "06-02", "06-09", "06-16"]
    assert (C618.cohort_date, D11.cohort_date) == (date(2026, 5, 24), date(2026, 10, 24))
    assert C618.recruit_from == date(2026, 5, 5)
    assert D11.recruit_from == date(2026, 10, 1)
    assert datetime(2026, 11, 11, 14) in [g.at for g in D11.gates]


def test_the_campaign_of_a_day() -> None:
    earlier = date_campaign(catalog.campaign_templates()["618"], 2025, "618")
    both = (earlier, C618)
    assert campaign_for(date(2026, 6, 1), both) is C618
    assert campaign_for(date(2026, 3, 1), both) is earlier
    assert campaign_for(date(2025, 1, 1), both) is None
    assert next_campaign(date(2026, 3, 1), both) is C618
    assert earlier_same(C618, both) is earlier
    assert earlier_same(earlier, both) is None


def test_the_balance_window() -> None:
    assert C618.balance_window_at(datetime(2026, 5, 31, 23, 59)) is None
    assert C618.balance_window_at(datetime(2026, 6, 3, 23, 59)) == (date(2026, 6, 1), date(2026, 6, 3))
    assert C618.balance_window_at(datetime(2026, 6, 17, 10)) is None


def test_an_own_campaign_without_presale_has_no_balance_window() -> None:
    own = date_campaign(
        catalog.CampaignTemplate.model_validate(
            {
                "key": "w", "name": "W", "phases": [
                    {"key": "preheat1", "name": "a", "from": "2017-11-25", "to": "2017-12-01"},
                    {"key": "sale1", "name": "b", "from": "2017-12-02", "to": "2017-12-03"},
                ],
            }
        ),
        2017,
        "w",
    )  # fmt: skip
    assert own.balance_windows == ()
    assert own.cohort_date == own.recruit_from == date(2017, 11, 25)
    assert own.wave_at(date(2017, 12, 3)).first == date(2017, 11, 25)


def test_a_campaign_with_a_number_in_its_name_is_told_whole(tmp_path: Path) -> None:
    """双12：2026 read like a time of day, and the line was taken out as untraced."""
    root = tmp_path / "shop"
    workspace.create(root, name="店", campaigns=["618:2026"], demo=False)
    file = root / "shop.yaml"
    own = (
        "campaigns:\n  - key: double12\n    name: 双12\n    year: 2026\n    phases:\n"
        "      - {key: preheat1, name: 预热, from: 12-01, to: 12-09}\n      - {key: sale1, name: 开卖, from: 12-10, to: 12-12}\n"
    )
    file.write_text(file.read_text(encoding="utf-8").replace("campaigns:\n", own, 1), encoding="utf-8")
    with WarRoom(root) as room:
        reply = answer(room, Question("双12什么时候开卖", as_of=datetime(2026, 6, 17, 10)))
    assert "2026 年 12 月 1 日" in reply.text
    assert reply.degraded is None
