"""The daily push: ten days, two shops, two groups each; late, missed, killed, cut off."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.bots import OWNER, BotProcess
from tests.e2e.server import Chat, TelegramServer
from tests.e2e.shops import copied, set_clock

GROUPS = {
    "huayang": [Chat(-101, "group", "一组"), Chat(-102, "group", "二组")],
    "other": [Chat(-201, "group", "三组"), Chat(-202, "group", "四组")],
}
BRIEF = "昨天"


def start(telegram: TelegramServer, demo_root: Path, tmp_path: Path, clock: str) -> tuple[BotProcess, dict[str, Path]]:
    """Two shops whose groups want the briefing at 09:00; the clock stands at `clock`."""
    shops = {
        "huayang": copied(demo_root, tmp_path / "huayang", clock=clock),
        "other": copied(demo_root, tmp_path / "other", name="另一家", clock=clock),
    }
    return BotProcess(telegram, list(shops.values()), tmp_path / "bot.log"), shops


def subscribe(telegram: TelegramServer, at: str = "09:00") -> None:
    for shop, groups in GROUPS.items():
        for group in groups:
            for text, said in ((f"/shop {shop}", "现在起"), (f"/subscribe {at}", at)):
                asked = telegram.message(group, OWNER, text)
                telegram.wait_message(group.id, said, after=asked, timeout=30)


def briefs(telegram: TelegramServer, chat: Chat) -> list[str]:
    """The headlines of the briefings in a chat; a chart or a notice is none."""
    return [m.text.splitlines()[0] for m in telegram.in_chat(chat.id) if m.kind == "text" and BRIEF in m.text]


def test_ten_days_push_ten_briefings_to_each_group(telegram: TelegramServer, demo_root: Path, tmp_path: Path) -> None:
    bot, shops = start(telegram, demo_root, tmp_path, "2026-06-07 20:00")
    with bot:
        subscribe(telegram)
        groups = [g for both in GROUPS.values() for g in both]
        for n, day in enumerate(range(8, 18), start=1):
            for root in shops.values():
                set_clock(root, f"2026-06-{day:02d} 08:59:59")
            telegram.quiet(1.5)
            assert all(len(briefs(telegram, g)) == n - 1 for g in groups), day
            for root in shops.values():
                set_clock(root, f"2026-06-{day:02d} 09:00:01")
            telegram.wait(lambda: all(len(briefs(telegram, g)) == n for g in groups), timeout=60)  # noqa: B023
        telegram.quiet(2)
        for group in groups:
            found = briefs(telegram, group)
            assert len(found) == len(set(found)) == 10
        assert "Traceback" not in bot.said


@pytest.mark.parametrize("when", ["before", "during", "after"])
def test_kill_around_a_send_neither_doubles_nor_hides(
    telegram: TelegramServer, demo_root: Path, tmp_path: Path, when: str
) -> None:
    bot, shops = start(telegram, demo_root, tmp_path, "2026-06-16 20:00")
    group = GROUPS["huayang"][0]
    with bot:
        subscribe(telegram)
        telegram.quiet(1)
        if when == "after":
            hold = telegram.hold("sendPhoto", chat=group.id)
        else:
            hold = telegram.hold("sendMessage", chat=group.id, processed=when == "during")
        for root in shops.values():
            set_clock(root, "2026-06-17 09:00:05")
        assert hold.arrived.wait(60)
        bot.kill()
        hold.release()
        bot.start()
        others = [g for both in GROUPS.values() for g in both if g is not group]
        telegram.wait(lambda: all(len(briefs(telegram, g)) == 1 for g in others), timeout=60)
        telegram.quiet(3)
        assert all(len(briefs(telegram, g)) == 1 for g in others)
        said = [m.text for m in telegram.in_chat(group.id)]
        assert len(briefs(telegram, group)) == (0 if when == "before" else 1)
        notices = [t for t in said if "可能没有送达" in t]
        assert len(notices) == (0 if when == "after" else 1), said


def test_late_is_caught_up_for_two_hours_then_reported(
    telegram: TelegramServer, demo_root: Path, tmp_path: Path
) -> None:
    bot, shops = start(telegram, demo_root, tmp_path, "2026-06-15 20:00")
    groups = [g for both in GROUPS.values() for g in both]
    with bot:
        subscribe(telegram)
        telegram.quiet(1)
        bot.stop()
        set_clock(shops["huayang"], "2026-06-16 10:59")
        set_clock(shops["other"], "2026-06-16 11:01")
        bot.start()
        telegram.wait(lambda: all(len(briefs(telegram, g)) == 1 for g in GROUPS["huayang"]), timeout=60)
        telegram.wait(lambda: all("没有按时" in telegram.in_chat(g.id)[-1].text for g in GROUPS["other"]), timeout=60)
        telegram.quiet(2)
        assert [len(briefs(telegram, g)) for g in groups] == [1, 1, 0, 0]


def test_a_cut_connection_is_said_and_a_refusal_is_quiet(
    telegram: TelegramServer, demo_root: Path, tmp_path: Path
) -> None:
    """Cut after the message arrived: one briefing and a word about it. Removed from the group: nothing, and the rest goes on."""
    bot, shops = start(telegram, demo_root, tmp_path, "2026-06-16 20:00")
    first, second = GROUPS["huayang"]
    with bot:
        subscribe(telegram)
        telegram.quiet(1)
        telegram.fail("sendMessage", kind="drop_after", chat=first.id)
        telegram.member(second, OWNER, "kicked")
        for root in shops.values():
            set_clock(root, "2026-06-17 09:00:05")
        telegram.wait(lambda: any("可能没有送达" in m.text for m in telegram.in_chat(first.id)), timeout=60)
        telegram.wait(lambda: all(len(briefs(telegram, g)) == 1 for g in GROUPS["other"]), timeout=60)
        telegram.quiet(2)
        assert len(briefs(telegram, first)) == 1
        assert len(briefs(telegram, second)) == 0


def test_subscribing_after_the_time_begins_tomorrow_and_nonsense_is_refused(
    telegram: TelegramServer, demo_root: Path, tmp_path: Path
) -> None:
    bot, shops = start(telegram, demo_root, tmp_path, "2026-06-16 20:00")
    group = GROUPS["huayang"][0]
    with bot:
        subscribe(telegram)
        for wrong in ("25:99", "九点", "9", "24:00"):
            asked = telegram.message(group, OWNER, f"/subscribe {wrong}")
            assert "不是一天里的时间" in telegram.wait_message(group.id, after=asked).text
        asked = telegram.message(group, OWNER, "/subscribe 9：05")
        assert "09:05" in telegram.wait_message(group.id, "明天", after=asked).text
        telegram.quiet(2)
        assert briefs(telegram, group) == []
        asked = telegram.message(group, OWNER, "/subscribe off")
        assert telegram.wait_message(group.id, "不再", after=asked)
        set_clock(shops["huayang"], "2026-06-17 09:30")
        telegram.wait(lambda: len(briefs(telegram, GROUPS["huayang"][1])) == 1, timeout=60)
        telegram.quiet(2)
        assert briefs(telegram, group) == []
