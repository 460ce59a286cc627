"""The conversation held by a language model, against a scripted server that answers at once: what we add to its time, how many
tokens a question costs, and fifty conversations at the same time."""

from __future__ import annotations

import json
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from benchmarks.timing import say, timed
from bot.conversation import Question, answer
from bot.wiring import WarRoom
from tools.plans import plan

_ASKED = "加购未付款的人今天怎么做"
_CALL = {"name": "plan", "arguments": {"crowd": "cart_unpaid"}}
_REPLY = "先做有券没用的，别的放到明天"
_ROUNDS = 30
_CHATS, _QUESTIONS = 50, ("加购未付款的人今天做什么", "那会员呢", "昨天会员加购了多少人", "和前天比", "现在什么阶段")
_WIDE = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]")
_A_TOKEN = (
    3.5  # characters of Latin text and JSON; a Chinese character counts as one token, which is more than models need
)


def tokens(body: dict[str, Any]) -> int:
    """An upper estimate of the tokens of a request: no tokenizer can be fetched where this runs."""
    text = json.dumps({k: body.get(k) for k in ("messages", "tools")}, ensure_ascii=False)
    wide = len(_WIDE.findall(text))
    return round(wide + (len(text) - wide) / _A_TOKEN)


@contextmanager
def endpoint(port: int = 18471) -> Iterator[str]:
    """llmock in a process of its own; its address."""
    command = [str(Path(sys.executable).parent / "llmock"), "serve", "--port", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(200):
            try:
                httpx.get(f"{url}/health", timeout=1).raise_for_status()
                break
            except httpx.HTTPError:
                time.sleep(0.05)
        yield url
    finally:
        server.terminate()
        server.wait()


def script(url: str, behaviors: Sequence[dict[str, Any]]) -> None:
    httpx.post(f"{url}/_llmock/reset").raise_for_status()
    httpx.post(f"{url}/_llmock/scenario", json={"behaviors": list(behaviors)}).raise_for_status()


def bench(root: Path) -> None:
    """All figures of the part."""
    with endpoint() as url:
        env = {"WARROOM_MODEL": "openai:bench", "OPENAI_BASE_URL": f"{url}/v1", "OPENAI_API_KEY": "none"}
        with WarRoom(root, env=env) as room:
            _overhead(room, url)
            _tokens(room, url)
        _together(root, url, env)
    _together(root, "", {})


def _flagship(call: dict[str, Any] = _CALL, reply: str = _REPLY) -> list[dict[str, Any]]:
    return [{"type": "reply", "tool_calls": [call]}, {"type": "reply", "text": reply}]


def _overhead(room: WarRoom, url: str) -> None:
    """An answer's time less the server's (the same two requests by a bare client) and less the tool's own."""
    import openai

    client = openai.OpenAI(base_url=f"{url}/v1", api_key="none")
    sent: list[dict[str, Any]] = []
    ours, tool, bare = [], [], []
    for n in range(_ROUNDS + 3):
        at = datetime(2026, 6, 17, 6) + timedelta(minutes=5 * n)
        script(url, _flagship())
        took = timed(lambda at=at: answer(room, Question(_ASKED, as_of=at)))  # type: ignore[misc]
        sent = sent or [r["body"] for r in httpx.get(f"{url}/_llmock/requests").json()["requests"]]
        at += timedelta(seconds=30)
        alone = timed(lambda at=at: plan(room.context(at, "zh"), "cart_unpaid"))  # type: ignore[misc]
        script(url, _flagship())
        server = timed(lambda sent=sent: [list(client.chat.completions.create(**body)) for body in sent])  # type: ignore[misc]
        if n >= 3:
            ours.append(took)
            tool.append(alone)
            bare.append(server)
    added = sorted(1000 * (a - b - c) for a, b, c in zip(ours, tool, bare, strict=True))
    p50, p95 = statistics.median(added), added[int(len(added) * 0.95)]
    say(
        "language model: what we add to its two calls and the tool, p50 / p95 ms",
        f"{p50:.0f} / {p95:.0f}",
        "aim p50 ≤ 100",
    )
    say("… the two calls by a bare client, p50 ms", f"{statistics.median(bare) * 1000:.0f}")
    say("… the tool alone, p50 ms", f"{statistics.median(tool) * 1000:.0f}")


def _tokens(room: WarRoom, url: str) -> None:
    for label, asked, call, reply in (
        ("flagship, Chinese", _ASKED, _CALL, _REPLY),
        ("flagship, English", "What should I do today for un-paid carters?", _CALL, "Send the coupon reminder first."),
        (
            "metric",
            "会员的进店-加购比率和昨天比",
            {"name": "metric", "arguments": {"metric_keys": ["visit_cart_rate"], "crowds": ["member"], "first": "2026-06-17",
                                             "last": "2026-06-17", "compare": "previous_day"}},
            "比昨天低",
        ),
    ):  # fmt: skip
        script(url, _flagship(call, reply))
        answer(room, Question(asked))
        sizes = [tokens(r["body"]) for r in httpx.get(f"{url}/_llmock/requests").json()["requests"]]
        say(f"prompt tokens, {label}: first call / largest", f"{sizes[0]:,} / {max(sizes):,}", "aim ≤ 3,000")


def _together(root: Path, url: str, env: dict[str, str]) -> None:
    """Fifty conversations at once; every one must read as the same conversation held alone."""
    if url:
        script(url, [{"type": "reply", "text": _REPLY, "times": None}])
    with WarRoom(root, env=env) as room:
        room.warm()
        at = datetime(2026, 6, 17, 9, 30)

        def talk(name: str) -> list[str]:
            return [answer(room, Question(q, as_of=at, session=name)).text for q in _QUESTIONS]

        alone = talk(f"alone{time.time()}")
        began = time.perf_counter()
        with ThreadPoolExecutor(_CHATS) as pool:
            found = list(pool.map(talk, [f"bench{n}-{began}" for n in range(_CHATS)]))
        seconds = time.perf_counter() - began
    same = sum(texts == alone for texts in found)
    who = "language model" if url else "embedded"
    say(f"{_CHATS} conversations at once, {who}: right", f"{same} of {_CHATS}", "aim all")
    say("… answers/s", f"{_CHATS * len(_QUESTIONS) / seconds:.0f}")
