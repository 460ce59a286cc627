"""The processes of tests/test_state.py: `python -m tests.state_race race|toil URL`, driven by lines on standard input.

Processes are forked from here, where nothing but the state is imported and no thread runs.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterable

from bot.state import LedgerKey, State

KEYS = 40
CHATS = 40
BOT = 1


def race(state: State, name: str, keys: Iterable[int]) -> dict[str, list[int]]:
    """Try to be the first at everything; what was won."""
    won: dict[str, list[int]] = {
        w: [] for w in ("receive", "begin", "sending", "claim", "advance", "take", "decide", "adopt", "lock", "reclaim")
    }

    def attempt(what: str, n: int, got: bool) -> None:
        if got:
            won[what].append(n)

    for n in keys:
        attempt("receive", n, state.receive(BOT, n, 5, "{}", name))
        attempt("begin", n, state.begin(BOT, 1000 + n, "boss"))
        attempt("sending", n, state.sending(BOT, 2000 + n))
        attempt("adopt", n, state.adopt(BOT, 3000 + n, "dead", name))
        attempt("claim", n, state.claim("shop", "618:2026", f"{n}", "brief", 5, name))
        attempt("advance", n, state.advance(LedgerKey("old", f"{n}", "brief", 5), "claimed", "sending"))
        attempt("reclaim", n, state.reclaim(LedgerKey("dead", f"{n}", "brief", 5), "dead", name))
        attempt("take", n, state.take(f"u{n}"))
        attempt("decide", n, state.decide(f"d{n}", 7, approved=n % 2 == 0))
        attempt("lock", n, state.lock(f"l{n}", name, ttl=600))
    return won


def prepare(state: State) -> None:
    """What `race` is about."""
    for n in range(KEYS):
        for first in (1000, 2000, 3000):
            state.receive(BOT, first + n, 5, "{}", {1000: "boss", 2000: "boss", 3000: "dead"}[first])
        state.begin(BOT, 2000 + n, "boss")
        state.claim("shop", "old", f"{n}", "brief", 5, "boss")
        state.claim("shop", "dead", f"{n}", "brief", 5, "dead")
        state.stage(f"u{n}", "shop", 5, 7, "table", "/x", {})
        state.submit(f"d{n}", "token", "shop", 7)


def toil(state: State, name: str) -> None:
    """Work until killed: updates one after the other, and groups that move to and fro with all that belongs to them."""
    done = int(time.time() * 1e6)
    while True:
        for n in range(1, CHATS + 1):
            done += 1
            assert state.receive(BOT, done, n, '{"text": "?"}', name)
            assert state.begin(BOT, done, name)
            assert state.sending(BOT, done)
            assert state.done(BOT, done)
            found = state.chat(n)
            assert found is not None
            state.move(found.id, -n * 1_000_000 - done % 1_000_000)


def racers(url: str, count: int) -> None:
    """`count` processes: each opens `url` and says so, waits for "go", races, prints what it won as one line."""
    gate, opener = os.pipe()
    children = []
    for n in range(count):
        pid = os.fork()
        if pid == 0:
            os.close(opener)
            state = State.open(url)
            race(state, f"p{n}", [KEYS + n])  # alone: the first use of a statement takes longer than the whole race
            os.write(1, b"ready\n")
            os.read(gate, 1)  # returns when the parent closes its end
            # Who is ahead stays ahead, so half of them come from the other end.
            order = range(KEYS) if n % 2 else reversed(range(KEYS))
            os.write(1, json.dumps(race(state, f"p{n}", order)).encode() + b"\n")
            os._exit(0)
        children.append(pid)
    sys.stdin.readline()
    os.close(opener)
    for pid in children:
        assert os.waitpid(pid, 0)[1] == 0


def toilers(url: str) -> None:
    """For each line a process that toils under that name: its id is printed, and "ended" after it was killed."""
    for name in sys.stdin:
        pid = os.fork()
        if pid == 0:
            state = State.open(url)
            os.write(1, f"{os.getpid()}\n".encode())
            toil(state, name.strip())
        print(f"ended {os.waitpid(pid, 0)[1]}", flush=True)


if __name__ == "__main__":
    racers(sys.argv[2], 8) if sys.argv[1] == "race" else toilers(sys.argv[2])
