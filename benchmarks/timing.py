"""Measuring, and saying what was measured."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any


def timed(run: Callable[[], Any]) -> float:
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


def best(run: Callable[[], Any], times: int) -> float:
    return min(timed(run) for _ in range(times))


def say(label: str, value: str, aim: str = "") -> None:
    print(f"{label:<74} {value:>12}  {aim}", flush=True)
