"""The bot as a process of its own, as it runs for real: started, told to stop, killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType

from tests.e2e.server import TelegramServer, User

ROOT = Path(__file__).parent.parent.parent
OWNER = User(900, "Olivia", "zh-hans")


class BotProcess:
    """`warroom bot` on these shops, against the test's Telegram. Its log is the file `log`."""

    def __init__(self, server: TelegramServer, shops: list[Path], log: Path, **env: str) -> None:
        self.log = log
        self._env = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("WARROOM_", "TELEGRAM_"))},
            "TELEGRAM_BOT_TOKEN": server.token,
            "TELEGRAM_API_URL": server.url,
            "WARROOM_OWNER": str(OWNER.id),
            "WARROOM_SHOPS": os.pathsep.join(map(str, shops)),
            "WARROOM_SEND_RATE": "1000",
            "WARROOM_LANG": "en",
            **env,
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, timeout: float = 40, *, wait: bool = True) -> BotProcess:
        """Start and, unless told otherwise, wait until it says that it is online."""
        before = self.said.count("online")
        with self.log.open("ab") as out:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "bot.cli", "bot"], cwd=ROOT, env=self._env, stdout=out, stderr=out
            )
        end = time.monotonic() + timeout
        while wait and self.said.count("online") <= before:
            if self._process.poll() is not None or time.monotonic() > end:
                raise AssertionError(f"the bot did not start:\n{self.said[-3000:]}")
            time.sleep(0.05)
        return self

    def run_to_end(self, timeout: float = 40) -> int:
        """Start and wait for it to end by itself; the exit status."""
        with self.log.open("ab") as out:
            return subprocess.run(
                [sys.executable, "-m", "bot.cli", "bot"],
                cwd=ROOT,
                env=self._env,
                stdout=out,
                stderr=out,
                timeout=timeout,
            ).returncode

    @property
    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""

    def kill(self) -> None:
        """kill -9."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(10)

    def stop(self, timeout: float = 20) -> int:
        """SIGTERM; the exit status."""
        assert self._process is not None
        self._process.terminate()
        return self._process.wait(timeout)

    def __enter__(self) -> BotProcess:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._process is not None and self._process.poll() is None:
            self.kill()
        if kind is not None:
            print(self.said[-6000:])
