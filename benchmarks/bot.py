"""The bot under load, beside a bare echo bot on the same test server in the same run."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from tests.e2e.bots import OWNER, ROOT, BotProcess
from tests.e2e.server import Posted, TelegramServer, User, private

CHATS = 50
ASKED = (
    "加购未付款的人今天怎么做", "会员的进店-加购比率和昨天比", "临门一脚有多少人", "现在是什么阶段",
    "今天怎么样", "那新客呢", "按会员等级看", "加购未付款有多少人", "老客的成交金额是多少",
    "加购和收藏的人数分别是多少", "昨天呢", "今天做什么", "会员的转化率和昨天比", "大促高潜有多少人",
    "给临门一脚人群写条短信", "再短一点", "群里没人说话怎么办", "How many un-paid carters are there?",
    "粉丝进店率", "尾款没付的有多少人",
)  # fmt: skip
UPDATES = CHATS * len(ASKED)
ALONE = 60


def echo_rate(folder: Path) -> float:
    """Updates a second that the echo bot answers."""
    with TelegramServer() as server, (folder / "echo.log").open("wb") as out:
        env = {**os.environ, "TELEGRAM_BOT_TOKEN": server.token, "TELEGRAM_API_URL": server.url}
        command = [sys.executable, "-m", "benchmarks.echo_bot"]
        process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=out, stderr=out)
        try:
            person = User(1, "A")
            server.message(private(person), person, "warm")
            server.wait(1, timeout=30)
            began = time.monotonic()
            for n in range(len(ASKED)):
                for c in range(CHATS):
                    who = User(100 + c, f"P{c}")
                    server.message(private(who), who, f"{n}")
            server.wait(1 + UPDATES, timeout=120)
            return UPDATES / (time.monotonic() - began)
        finally:
            process.kill()
            process.wait()


def war_rate(shop: Path, folder: Path) -> tuple[float, float, float]:
    """(updates a second, p95 seconds to the first sign of life of questions that come alone, p95 of 50 that come at once)."""
    with TelegramServer() as server, BotProcess(server, [shop], folder / "bot.log"):
        people = [User(100 + c, f"P{c}", "zh-hans") for c in range(CHATS)]
        for person in people:
            server.message(private(OWNER), OWNER, f"/settings grant {person.id} viewer")
        server.wait(lambda: len(server.in_chat(OWNER.id)) >= CHATS, timeout=120)
        server.quiet(1, timeout=60)
        alone = []
        for i in range(ALONE):
            person = people[i % CHATS]
            posted = server.message(private(person), person, ASKED[i % len(ASKED)])
            alone.append(_sign_after(server, posted) - posted.at)
            server.wait_message(person.id, after=posted, timeout=30)
            server.quiet(0.1, timeout=30)
        before, began = len(server.messages), time.monotonic()
        for question in ASKED:
            for person in people:
                server.message(private(person), person, question)
        server.wait(lambda: len(server.messages) - before >= UPDATES, timeout=300)
        took = time.monotonic() - began
        crowd = [_first_sign(server, p.id, began) - began for p in people]
        return UPDATES / took, _p95(alone), _p95(crowd)


def _sign_after(server: TelegramServer, posted: Posted) -> float:
    found: float = server.wait(lambda: _first_sign(server, posted.chat_id, posted.at), timeout=30)
    return found


def _first_sign(server: TelegramServer, chat: int, since: float) -> float:
    """When the bot first called anything for that chat; 0 when it has not."""
    return next((c.at for c in list(server.calls) if c.chat_id == chat and c.at >= since), 0.0)


def _p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]
