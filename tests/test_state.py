"""The state on SQLite and PostgreSQL: who wins, what follows, what survives; also with eight processes and kill -9."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bot.state import Chat, LedgerKey, State, Subscription
from tests import state_race
from tests.postgres import new_database
from tools.errors import NeedsPerson

ROOT = Path(__file__).parent.parent
BOT, CHAT, ANN, BOB, OWNER = 1, -100200, 4_000_000_000, 5_000_000_000, 42


class Clock:
    def __init__(self) -> None:
        self.at = 1_781_665_200.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'state.sqlite'}"
    return new_database(request.getfixturevalue("postgres_url"))


@pytest.fixture
def state(url: str, clock: Clock) -> Iterator[State]:
    opened = State.open(url, clock)
    yield opened
    opened.close()


# Access


def test_a_role_is_per_person_and_shop(state: State) -> None:
    assert state.role(ANN, "flower") is None
    state.grant(ANN, "flower", "viewer", OWNER, "Ann")
    state.grant(ANN, "fruit", "admin", OWNER, "Ann")
    state.grant(BOB, "flower", "viewer", ANN)
    state.grant(ANN, "flower", "operator", OWNER, "安")
    assert state.role(ANN, "flower") == "operator"
    assert state.role(BOB, "fruit") is None
    assert state.shops_of(ANN) == [("flower", "operator"), ("fruit", "admin")]
    assert [(g.person, g.role, g.name, g.by) for g in state.people("flower")] == [
        (ANN, "operator", "安", OWNER),
        (BOB, "viewer", "", ANN),
    ]
    assert state.revoke(ANN, "flower")
    assert not state.revoke(ANN, "flower")
    assert state.shops_of(ANN) == [("fruit", "admin")]


def test_a_stranger_is_reported_once_an_hour_and_settled_by_a_grant(state: State, clock: Clock) -> None:
    assert state.request_access(ANN, "Ann", CHAT)
    assert not state.request_access(ANN, "Ann", CHAT)
    assert state.request_access(ANN, "Ann", CHAT, "flower")
    clock.at += 3599
    assert not state.request_access(ANN, "Ann", CHAT)
    clock.at += 1
    assert state.request_access(ANN, "Ann again", CHAT + 1)
    assert [(r.shop, r.name, r.chat) for r in state.requests()] == [
        ("flower", "Ann", CHAT),
        (None, "Ann again", CHAT + 1),
    ]
    state.grant(BOB, "flower", "viewer", OWNER)
    assert len(state.requests()) == 2
    state.grant(ANN, "flower", "viewer", OWNER)
    assert state.requests() == []


def test_an_unknown_role_is_refused_by_the_database(state: State) -> None:
    with pytest.raises(Exception, match=r"(?i)check"):
        state.grant(ANN, "flower", "king", OWNER)
    assert state.role(ANN, "flower") is None


def test_the_audit_log_keeps_everything_in_order(state: State) -> None:
    for n in range(3):
        state.audit(OWNER, "flower", "grant", {"n": n, "谁": "安"})
    state.audit(OWNER, "fruit", "export", {})
    assert [r.detail["n"] for r in state.audit_rows("flower")] == [2, 1, 0]
    assert [r.detail["谁"] for r in state.audit_rows("flower", limit=1)] == ["安"]
    assert [(r.actor, r.action) for r in state.audit_rows("fruit")] == [(OWNER, "export")]


def test_a_transaction_is_all_or_nothing(state: State) -> None:
    def half() -> None:
        with state.transaction() as connection:
            connection.exec_driver_sql("INSERT INTO warroom_moves (old, new) VALUES (1, 2)")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half()
    with state.transaction() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM warroom_moves").scalar_one() == 0


def test_names_with_nul_and_half_surrogates_are_kept_without_them(state: State) -> None:
    state.grant(ANN, "flower", "viewer", OWNER, "A\0nn\ud83d<b>😀")
    state.bind(CHAT, "flower", "group", "组\0", ANN)
    assert [g.name for g in state.people("flower")] == ["Ann?<b>😀"]
    found = state.chat(CHAT)
    assert found is not None
    assert found.title == "组"
    assert state.answer("no\0ne\ud83d") is None


# Chats


def test_a_chat_is_bound_to_one_shop(state: State) -> None:
    assert state.chat(CHAT) is None
    state.bind(CHAT, "flower", "group", "花漾运营", ANN)
    state.set_lang(CHAT, "en")
    state.set_active(CHAT, False)
    assert state.chat(CHAT) == Chat(CHAT, "flower", "group", "花漾运营", "en", False, ANN)
    state.bind(CHAT, "fruit", "group", "果园", BOB)
    assert state.chat(CHAT) == Chat(CHAT, "fruit", "group", "果园", "en", True, BOB)
    state.bind(CHAT + 1, "flower", "private", "", ANN)
    assert [c.id for c in state.chats()] == [CHAT, CHAT + 1]
    assert [c.id for c in state.chats("flower")] == [CHAT + 1]


def test_a_chat_has_one_subscription_and_only_when_bound(state: State) -> None:
    assert not state.subscribe(CHAT, None, "09:00", ANN)
    state.bind(CHAT, "flower", "group", "", ANN)
    assert state.subscribe(CHAT, None, "09:00", ANN)
    assert state.subscribe(CHAT, 77, "08:30", BOB)
    state.set_active(CHAT, False)
    wanted = Subscription(CHAT, 77, "08:30", BOB, "flower", None, False)
    assert state.subscription(CHAT) == wanted
    assert state.subscriptions() == [wanted]
    assert state.unsubscribe(CHAT)
    assert not state.unsubscribe(CHAT)
    assert state.subscriptions() == []


def fill(state: State, chat: int, day: str = "2026-06-17") -> None:
    """A chat with one of everything that belongs to it."""
    state.bind(chat, "flower", "group", "花漾", ANN)
    state.set_lang(chat, "zh")
    state.subscribe(chat, 3, "09:00", ANN)
    state.save_answer(f"a{chat}", "flower", chat, 3, ANN, "今天怎么样", "{}")
    state.stage(f"u{chat}", "flower", chat, ANN, "table", "/x", {})
    state.claim("flower", "618:2026", day, "brief", chat, "w")


def homes(state: State, chat: int) -> set[int]:
    """The ids under which what belongs to `chat` is found."""
    saved, upload, found, sub = (
        state.answer(f"a{chat}"), state.staged(f"u{chat}"), state.chat(chat), state.subscription(chat),
    )  # fmt: skip
    assert saved is not None
    assert upload is not None
    assert found is not None
    assert sub is not None
    rows = state.ledger(chat=chat)
    assert len(rows) == 1
    return {saved.chat, upload.chat, found.id, sub.chat, rows[0].chat}


def test_everything_follows_a_group_that_became_a_supergroup(state: State) -> None:
    fill(state, CHAT)
    state.request_access(BOB, "Bob", CHAT)
    new, newer = CHAT - 10**12, CHAT - 2 * 10**12
    key = LedgerKey("618:2026", "2026-06-17", "brief", CHAT)
    assert state.advance(key, "claimed", "sending")
    state.move(CHAT, new)
    state.move(CHAT, new)
    assert homes(state, CHAT) == {new}
    found = state.chat(new)
    assert found is not None
    assert (found.kind, found.lang, found.shop) == ("supergroup", "zh", "flower")
    assert [r.chat for r in state.requests()] == [new]
    assert [c.id for c in state.chats()] == [new]
    # A sender that still holds the old id neither loses its row nor gets a second one.
    assert state.advance(key, "sending", "sent", message_id=9)
    assert not state.claim("flower", "618:2026", "2026-06-17", "brief", CHAT, "w2")
    state.move(new, newer)
    assert homes(state, CHAT) == {newer}


def test_a_move_onto_a_bound_chat_keeps_that_ones_own(state: State) -> None:
    fill(state, CHAT)
    new = CHAT - 10**12
    state.bind(new, "fruit", "supergroup", "果园", BOB)
    state.claim("fruit", "618:2026", "2026-06-17", "brief", new, "w")
    state.move(CHAT, new)
    found = state.chat(CHAT)
    assert found is not None
    assert (found.id, found.shop) == (new, "fruit")
    assert [(s.chat, s.at) for s in state.subscriptions()] == [(new, "09:00")]
    assert sorted((r.shop, r.chat) for r in state.ledger()) == [("flower", CHAT), ("fruit", new)]
    state.subscribe(new, None, "10:00", BOB)
    fill(state, CHAT + 1, day="2026-06-18")
    state.move(CHAT + 1, new)
    assert [(s.chat, s.at) for s in state.subscriptions()] == [(new, "10:00")]
    assert [c.id for c in state.chats()] == [new]


# Answers


def test_an_answer_is_found_by_its_token_and_collects_opinions(state: State, clock: Clock) -> None:
    answer = json.dumps({"text": "临门一脚 1,832 人"}, ensure_ascii=False)
    state.save_answer("t1", "flower", CHAT, None, ANN, "多少人", answer)
    state.set_message("t1", 88)
    saved = state.answer("t1")
    assert saved is not None
    assert (saved.answer, saved.message_id, saved.created) == (answer, 88, clock.at)
    assert state.answer("t2") is None
    assert state.feedback("t1", ANN, 1)
    assert state.feedback("t1", BOB, 1)
    assert state.feedback("t1", BOB, -1)
    assert not state.feedback("t2", ANN, 1)
    assert state.feedback_of("t1") == {ANN: 1, BOB: -1}
    state.save_answer("t1", "flower", CHAT, None, ANN, "多少人", "{}")  # an edited question, answered again
    assert state.feedback_of("t1") == {ANN: 1, BOB: -1}


def test_old_answers_are_forgotten_but_for_drafts_up_for_approval(state: State, clock: Clock) -> None:
    for token in ("old", "approved", "new"):
        clock.at += 10
        state.save_answer(token, "flower", CHAT, None, ANN, "?", "{}")
    state.feedback("old", ANN, 1)
    state.submit("d1", "approved", "flower", ANN)
    assert state.prune(clock.at) == 1
    assert [state.answer(x) is None for x in ("old", "approved", "new")] == [True, False, False]
    assert state.feedback_of("old") == {}


def test_a_draft_is_decided_once(state: State) -> None:
    assert not state.decide("d1", OWNER, approved=True)
    assert state.submit("d1", "t1", "flower", ANN)
    assert not state.submit("d1", "t1", "flower", BOB)
    assert state.decide("d1", OWNER, approved=False)
    assert not state.decide("d1", BOB, approved=True)
    assert not state.submit("d1", "t1", "flower", ANN)
    found = state.approval("d1")
    assert found is not None
    assert (found.status, found.person, found.decided_by) == ("rejected", ANN, OWNER)
    assert state.approval("d2") is None


def test_a_double_tap_takes_a_file_once(state: State, clock: Clock) -> None:
    state.stage("u1", "flower", CHAT, ANN, "table", "/tmp/a.csv", {"table": "orders", "列": 3})
    upload = state.staged("u1")
    assert upload is not None
    assert (upload.kind, upload.detail, upload.taken_by) == ("table", {"table": "orders", "列": 3}, None)
    barrier = threading.Barrier(8)

    def tap(n: int) -> bool:
        barrier.wait()
        return state.take("u1", f"update {n}")

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(tap, range(8)))
    assert sum(won) == 1
    assert state.take("u1", f"update {won.index(True)}")  # the same tap, after its process died
    assert not state.take("u1")
    assert state.put_back("u1")
    assert state.take("u1")
    assert not state.take("u1")
    assert not state.take("u2")
    clock.at += 100
    state.stage("u2", "flower", CHAT, ANN, "document", "/tmp/b.md", {})
    assert [u.path for u in state.drop_uploads(clock.at)] == ["/tmp/a.csv"]
    assert state.staged("u1") is None
    assert state.staged("u2") is not None


# Inbox


def test_an_update_is_answered_once(state: State) -> None:
    assert state.receive(BOT, 10, CHAT, '{"text": "私密"}', "w1")
    assert not state.receive(BOT, 10, CHAT, "{}", "w2")
    assert state.receive(BOT + 1, 10, None, "{}", "w1")
    assert not state.sending(BOT, 10)
    assert not state.begin(BOT, 10, "w2")
    assert state.begin(BOT, 10, "w1")
    assert not state.begin(BOT, 10, "w1")
    assert state.sending(BOT, 10)
    assert not state.sending(BOT, 10)
    assert state.done(BOT, 10)
    assert not state.done(BOT, 10, "failed")
    assert not state.receive(BOT, 10, CHAT, "{}", "w1")
    assert all(r.payload != '{"text": "私密"}' for r in state.orphans(BOT, 0))
    with pytest.raises(ValueError, match="no outcome"):
        state.done(BOT, 10, "perhaps")


def test_a_dead_workers_updates_are_taken_over_by_one(state: State, clock: Clock) -> None:
    for update in (1, 2, 3, 4):
        state.receive(BOT, update, CHAT, f"p{update}", "dead")
    state.receive(BOT, 5, CHAT, "p5", "alive")
    state.begin(BOT, 2, "dead")
    state.begin(BOT, 3, "dead")
    state.sending(BOT, 3)
    state.begin(BOT, 4, "dead")
    state.done(BOT, 4)
    state.beat("dead", clock.at - 60)
    state.beat("alive", clock.at - 60)
    state.beat("alive", clock.at)
    since = clock.at - 30
    assert state.live(since) == {"alive"}
    orphans = state.orphans(BOT, since)
    assert [(o.update_id, o.status, o.payload) for o in orphans] == [
        (1, "received", "p1"), (2, "working", "p2"), (3, "sending", "p3"),
    ]  # fmt: skip
    assert all(state.adopt(BOT, o.update_id, "dead", "alive") for o in orphans)
    assert not any(state.adopt(BOT, o.update_id, "dead", "third") for o in orphans)
    assert state.begin(BOT, 2, "alive")
    assert not state.begin(BOT, 3, "alive")  # it may have been sent
    assert state.done(BOT, 3, "unknown")
    # The dead one was only asleep: of the two, one may write to the chat.
    assert [state.sending(BOT, 2), state.sending(BOT, 2)] == [True, False]
    state.leave("alive")
    assert {o.update_id for o in state.orphans(BOT, since)} == {1, 2, 5}


def test_a_number_that_has_not_come_in_is_noticed(state: State) -> None:
    for update in (*range(1, 9), 10):
        state.receive(BOT, update, CHAT, "{}", "w")
    assert not state.gap_before(BOT, 9)
    assert state.gap_before(BOT, 10)
    assert state.gap_before(BOT + 1, 9)
    state.receive(BOT, 9, CHAT + 1, "{}", "w")
    assert not state.gap_before(BOT, 10)


def test_order_in_a_chat_and_pruning(state: State, clock: Clock) -> None:
    for update, chat in ((1, CHAT), (2, CHAT + 1), (3, CHAT)):
        state.receive(BOT, update, chat, "{}", "w")
    assert not state.older_open(BOT, CHAT, 1)
    assert not state.older_open(BOT, CHAT + 1, 2)
    assert state.older_open(BOT, CHAT, 3)
    state.begin(BOT, 1, "w")
    assert state.older_open(BOT, CHAT, 3)
    state.done(BOT, 1, "failed")
    assert not state.older_open(BOT, CHAT, 3)
    clock.at += 100
    state.done(BOT, 2)
    assert state.prune_inbox(clock.at) == 1
    assert state.receive(BOT, 1, CHAT, "{}", "w")
    assert not state.receive(BOT, 2, CHAT, "{}", "w")


# Ledger and leases


def test_a_send_is_claimed_once_and_steps_cannot_be_skipped(state: State) -> None:
    key = LedgerKey("618:2026", "2026-06-17", "brief", CHAT)
    assert not state.advance(key, "claimed", "sending")
    assert state.claim("flower", "618:2026", "2026-06-17", "brief", CHAT, "w1")
    assert not state.claim("flower", "618:2026", "2026-06-17", "brief", CHAT, "w2")
    assert state.claim("flower", "618:2026", "2026-06-18", "brief", CHAT, "w2")
    assert state.advance(key, "claimed", "sending")
    assert not state.advance(key, "claimed", "sending")
    assert state.advance(key, "sending", "claimed", note="429")
    assert state.advance(key, "claimed", "sending")
    assert state.advance(key, "sending", "sent", message_id=7)
    assert not state.advance(key, "sending", "unknown")
    with pytest.raises(ValueError, match="no step"):
        state.advance(key, "unknown", "sending")
    later, first = state.ledger("flower")
    assert (first.key, first.status, first.message_id, first.worker) == (key, "sent", 7, "w1")
    assert later.status == "claimed"
    assert state.ledger("fruit") == []
    assert len(state.ledger(limit=1)) == 1


def test_stuck_sends_are_those_of_dead_workers(state: State, clock: Clock) -> None:
    for day in ("1", "2", "3"):
        state.claim("flower", "c", day, "brief", CHAT, "dead")
    state.claim("flower", "c", "4", "brief", CHAT, "alive")
    state.advance(LedgerKey("c", "2", "brief", CHAT), "claimed", "sending")
    state.advance(LedgerKey("c", "3", "brief", CHAT), "claimed", "missed")
    state.beat("alive", clock.at)
    rows = state.stuck(clock.at - 30)
    assert [(r.day, r.status) for r in rows] == [("1", "claimed"), ("2", "sending")]
    assert state.reclaim(rows[0].key, "dead", "alive")
    assert not state.reclaim(rows[0].key, "dead", "third")
    assert [r.day for r in state.stuck(clock.at - 30)] == ["2"]


def test_a_lease_is_one_workers_until_it_ends(state: State, clock: Clock) -> None:
    assert state.lock("poller", "w1", ttl=30)
    assert not state.lock("poller", "w2", ttl=30)
    assert state.lock("import flower", "w2", ttl=30)
    clock.at += 29
    assert state.lock("poller", "w1", ttl=30)
    clock.at += 29
    assert not state.lock("poller", "w2", ttl=30)
    clock.at += 1
    assert state.lock("poller", "w2", ttl=30)
    assert not state.unlock("poller", "w1")
    assert state.unlock("poller", "w2")
    assert state.lock("poller", "w3", ttl=30)
    state.leave("w3")
    assert state.lock("poller", "w1", ttl=30)


# Several processes


def start(what: str, url: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.state_race", what, url]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def tell(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdin is not None
    process.stdin.write(f"{line}\n")
    process.stdin.flush()


def heard(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_of_eight_processes_exactly_one_wins(url: str) -> None:
    racers = start("race", url)
    # All eight open the database while it is new, so they also race for making its tables.
    assert [heard(racers) for _ in range(8)] == ["ready"] * 8
    state = State.open(url)
    state_race.prepare(state)
    tell(racers, "go")
    results = [json.loads(heard(racers)) for _ in range(8)]
    racers.communicate()
    assert racers.returncode == 0
    for what in results[0]:
        winners = sorted(n for r in results for n in r[what])
        assert winners == list(range(state_race.KEYS)), what
    assert sum(1 for r in results if any(r.values())) > 1, "the processes did not run at the same time"
    state.close()


def test_kill_9_leaves_whole_transactions(url: str) -> None:
    state = State.open(url)
    for n in range(1, state_race.CHATS + 1):
        fill(state, n)
    toilers = start("toil", url)
    pause = random.Random(9)
    moved = 0
    for n in range(5):
        tell(toilers, f"w{n}")
        pid = int(heard(toilers))
        time.sleep(0.15 + pause.random() / 4)
        os.kill(pid, signal.SIGKILL)
        assert heard(toilers) == f"ended {int(signal.SIGKILL)}"
        for chat in range(1, state_race.CHATS + 1):
            where = homes(state, chat)
            assert len(where) == 1, where
            moved += where != {chat}
        assert len(state.chats()) == len(state.subscriptions()) == state_race.CHATS
        left = state.orphans(state_race.BOT, time.time() + 60)
        assert len(left) <= 1
        for o in left:
            assert state.adopt(o.bot, o.update_id, o.worker, "next")
            if o.status != "sending":
                assert state.begin(o.bot, o.update_id, "next")
                assert state.sending(o.bot, o.update_id)
            assert state.done(o.bot, o.update_id, "unknown" if o.status == "sending" else "done")
        assert state.orphans(state_race.BOT, time.time() + 60) == []
    toilers.communicate()
    assert toilers.returncode == 0
    assert moved > 0
    state.close()


def test_many_threads_share_one_state(state: State) -> None:
    def work(n: int) -> int:
        for i in range(40):
            state.receive(BOT, n * 100 + i, n, "{}", "w")
            state.bind(n, "flower", "group", f"{i}", ANN)
        return len([c for c in state.chats() if c.id == n])

    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(work, range(1, 17))) == [1] * 16
    assert len(state.orphans(BOT, 0)) == 16 * 40


def test_ten_thousand_updates_take_less_than_ten_seconds(tmp_path: Path) -> None:
    """Processor time: what else the machine does at the moment is not counted."""
    state = State.open(f"sqlite:///{tmp_path / 'state.sqlite'}")
    began = time.process_time()
    for update in range(10_000):
        assert state.receive(BOT, update, CHAT, '{"text": "今天怎么样"}', "w")
        assert state.begin(BOT, update, "w")
        assert state.done(BOT, update)
    assert time.process_time() - began < 10
    began = time.process_time()
    assert not any(state.older_open(BOT, CHAT, 20_000) for _ in range(1000))
    assert time.process_time() - began < 1, "the open updates are looked for among all"
    state.close()


# Opening


def test_a_state_is_found_again_and_a_later_version_refused(url: str) -> None:
    first = State.open(url)
    first.grant(ANN, "flower", "viewer", OWNER)
    first.close()
    again = State.open(url)
    assert again.role(ANN, "flower") == "viewer"
    with again.transaction() as connection:
        connection.exec_driver_sql("UPDATE warroom_schema SET version = 99")
    again.close()
    with pytest.raises(NeedsPerson) as e:
        State.open(url)
    assert e.value.code == "state_newer"
    assert "99" in e.value.message("zh")


def folder(path: Path) -> None:
    path.mkdir()


def text(path: Path) -> None:
    path.write_text("not a database, and long enough to have a header" * 20)


def torn(path: Path) -> None:
    State.open(f"sqlite:///{path}").close()
    data = bytearray(path.read_bytes())
    data[100:] = os.urandom(len(data) - 100)
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("make", "code"), [(folder, "state_unreachable"), (text, "state_broken"), (torn, "state_broken")]
)
def test_a_file_that_is_no_state_is_named(tmp_path: Path, make: Callable[[Path], None], code: str) -> None:
    path = tmp_path / "state.sqlite"
    make(path)
    with pytest.raises(NeedsPerson) as e:
        State.open(f"sqlite:///{path}")
    assert e.value.code == code
    assert str(path) in e.value.message("zh")
    assert e.value.hint("en")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    State.open(f"sqlite:///{path}").close()
    path.chmod(0)
    with pytest.raises(NeedsPerson, match=r"state\.sqlite"):
        State.open(f"sqlite:///{path}")


@pytest.mark.parametrize(
    "address",
    [
        "",
        "state.sqlite",
        "sqlite://",
        "sqlite:///:memory:",
        "mysql://u:geheim@h/d",
        "postgresql+asyncpg://u:geheim@h/d",
        "http://x:y:z",
    ],
)
def test_an_address_that_cannot_be_used_is_refused(address: str) -> None:
    with pytest.raises(NeedsPerson) as e:
        State.open(address)
    assert e.value.code == "bad_state_url"
    assert "geheim" not in str(e.value)


def test_a_server_that_is_away_is_named_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(NeedsPerson) as e:
        State.open(f"postgresql://anna:geheim@/war?host={tmp_path}")
    assert e.value.code == "state_unreachable"
    assert "anna" in str(e.value)
    assert "geheim" not in str(e.value)


def test_cut_connections_are_replaced(postgres_url: str) -> None:
    state = State.open(new_database(postgres_url))
    state.grant(ANN, "flower", "viewer", OWNER)
    with state._engine.connect() as one, state._engine.connect() as other:
        ours = one.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        assert other.exec_driver_sql(f"SELECT pg_terminate_backend({ours})").scalar_one()
    assert [state.role(ANN, "flower") for _ in range(3)] == ["viewer"] * 3
    state.close()


def test_a_database_busy_for_too_long_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.state._BUSY_SECONDS", 0.2)
    path = tmp_path / "state.sqlite"
    state = State.open(f"sqlite:///{path}")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(NeedsPerson) as e:
        state.receive(BOT, 1, CHAT, "{}", "w")
    assert e.value.code == "state_busy"
    other.execute("ROLLBACK")
    other.close()
    assert state.receive(BOT, 1, CHAT, "{}", "w")
    state.close()


def test_what_sends_is_written_through(tmp_path: Path) -> None:
    """SQLite: FULL for the statement that must survive a power cut, NORMAL again afterwards."""
    state = State.open(f"sqlite:///{tmp_path / 'state.sqlite'}")
    seen: list[int] = []

    def level() -> int:
        with state._engine.connect() as connection:
            return int(connection.exec_driver_sql("PRAGMA synchronous").scalar_one())

    from sqlalchemy import event

    @event.listens_for(state._engine, "before_cursor_execute")
    def look(conn: object, cursor: sqlite3.Cursor, statement: str, *_: object) -> None:
        if statement.startswith("INSERT"):
            seen.append(int(cursor.connection.execute("PRAGMA synchronous").fetchone()[0]))

    state.receive(BOT, 1, CHAT, "{}", "w")
    state.claim("flower", "c", "1", "brief", CHAT, "w")
    assert seen == [1, 2]
    assert level() == 1
    state.close()
