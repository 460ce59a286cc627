"""The webhook: forged calls, health, several workers on one PostgreSQL state behind a balancer that delivers twice."""

from __future__ import annotations

import json
import random
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.e2e.bots import OWNER, BotProcess
from tests.e2e.server import TelegramServer, User, private
from tests.e2e.shops import GROUP, VERA, ask, bind, copied
from tests.postgres import new_database

SECRET = "s3cret-for-tests"
HEADER = "X-Telegram-Bot-Api-Secret-Token"


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def post(url: str, body: bytes, secret: str | None) -> int:
    request = urllib.request.Request(
        url, body, {"Content-Type": "application/json", **({HEADER: secret} if secret else {})}
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as e:
        return e.code


@contextmanager
def balancer(ports: list[int]) -> Iterator[str]:
    """Gives every update to every worker that is up, as a balancer that loses answers would, and lets calls overtake each
    other; 200 when one took it."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            took = []
            time.sleep(random.random() * 0.2)
            for port in ports:
                try:
                    took.append(post(f"http://127.0.0.1:{port}/tg", body, self.headers.get(HEADER)))
                except OSError:
                    took.append(0)
            self.send_response(200 if 200 in took else 502)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/tg"
    finally:
        server.shutdown()
        server.server_close()


def test_only_what_carries_the_secret_is_read(telegram: TelegramServer, demo_root: Path, tmp_path: Path) -> None:
    port = free_port()
    shop = copied(demo_root, tmp_path / "huayang")
    url = f"http://127.0.0.1:{port}/tg"
    env = {"WARROOM_WEBHOOK_URL": url, "WARROOM_WEBHOOK_SECRET": SECRET, "WARROOM_WEBHOOK_LISTEN": f"127.0.0.1:{port}"}
    with BotProcess(telegram, [shop], tmp_path / "bot.log", **env) as bot:
        bind(telegram, GROUP, "huayang")
        assert "1,959" in ask(telegram, VERA, "加购未付款有多少人", "1,959").text
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=10) as answer:
            assert json.load(answer)["ok"] is True
        forged = json.dumps(
            {
                "update_id": 10**6,
                "message": {
                    "message_id": 1,
                    "date": 0,
                    "text": "/settings grant 666 admin",
                    "chat": {"id": OWNER.id, "type": "private", "first_name": "O"},
                    "from": {"id": OWNER.id, "is_bot": False, "first_name": "O"},
                },
            }
        ).encode()
        before = len(telegram.calls)
        assert post(url, forged, None) == 403
        assert post(url, forged, "wrong") == 403
        assert post(url, b"{", SECRET) == 400
        assert post(url, b'{"update_id": "x"}', SECRET) in (200, 400)
        assert post(f"http://127.0.0.1:{port}/other", forged, SECRET) == 404
        telegram.quiet(1)
        assert [c.method for c in telegram.calls[before:]] == []
        assert bot.stop() == 0
        assert "Traceback" not in bot.said


def test_two_workers_answer_each_update_once_in_order(
    telegram: TelegramServer, demo_root: Path, tmp_path: Path, postgres_url: str
) -> None:
    ports = [free_port(), free_port()]
    shop = copied(demo_root, tmp_path / "huayang")
    with balancer(ports) as url:
        workers = [
            BotProcess(
                telegram,
                [shop],
                tmp_path / f"bot{port}.log",
                WARROOM_WEBHOOK_URL=url,
                WARROOM_WEBHOOK_SECRET=SECRET,
                WARROOM_WEBHOOK_LISTEN=f"127.0.0.1:{port}",
                WARROOM_STATE_URL=state,
            )
            for state in [new_database(postgres_url)]
            for port in ports
        ]
        with workers[0], workers[1]:
            people = [User(300 + i, f"人{i}", "zh-hans") for i in range(6)]
            for person in people:
                telegram.message(private(OWNER), OWNER, f"/settings grant {person.id} viewer")
            telegram.wait(lambda: len(telegram.in_chat(OWNER.id)) >= len(people), timeout=60)
            asked = ["加购未付款有多少人", "那会员呢", "现在是什么阶段"]
            for text in asked:
                for person in people:
                    telegram.message(private(person), person, text)

            telegram.wait(lambda: all(len(telegram.in_chat(p.id)) >= len(asked) for p in people), timeout=90)
            telegram.quiet(2)

            for person in people:
                answers = [m.text for m in telegram.in_chat(person.id) if "作战室了" not in m.text]
                assert len(answers) == len(asked), answers
                assert "1,959" in answers[0]
                assert "会员" in answers[1]
                assert "第 2 天" in answers[2]
            workers[0].kill()
            posted = telegram.message(private(people[0]), people[0], "加购未付款有多少人")
            assert telegram.wait_message(people[0].id, "1,959", after=posted, timeout=30)
