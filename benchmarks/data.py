"""Generated data for the benchmarks, made by DuckDB itself: long-tailed people over seven weeks of a campaign.

People come in sessions of EVENTS_A_DAY events, as in the public UserBehavior log of Taobao (15.5 events a person and day).
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

from tools import daily
from tools.engine import Engine

FIRST_DAY, DAYS = date(2026, 5, 1), 47  # until 06-16
EVENTS_A_DAY = 15
_SECONDS = DAYS * 86_400
# A square makes few people do much: user number = people × u².
_USER = (
    "'u' || lpad(CAST(floor({people} * pow((hash({i} * 7919) % 1000003) / 1000003.0, 2)) AS BIGINT)::VARCHAR, 8, '0')"
)
_KINDS = "['visit','visit','visit','visit','visit','favorite','cart','coupon_claim']"


def people_of(events: int) -> int:
    return max(events // 50, 1000)


def events_sql(events: int, day: int) -> str:
    """The events of one day (0 is the first) in the order of time; `events` is the size of the whole."""
    sessions = events // DAYS // EVENTS_A_DAY
    start = datetime.combine(FIRST_DAY, datetime.min.time()) + timedelta(days=day)
    session, number = f"({day * sessions} + i // {EVENTS_A_DAY})", f"({day * sessions * EVENTS_A_DAY} + i)"
    # A session begins somewhere in the first 23 hours of its day, in order, and lasts up to an hour.
    moment = (
        f"TIMESTAMP '{start}' + to_seconds(CAST((i // {EVENTS_A_DAY}) * 82800.0 / {sessions} AS BIGINT) "
        f"+ (i % {EVENTS_A_DAY}) * 200 + (hash({number} * 17) % 200)::BIGINT)"
    )
    return (
        f"SELECT {_USER.format(people=people_of(events), i=session)} AS user_id, {moment} AS ts, "
        f"{_KINDS}[1 + (hash({number} * 31) % 8)::INT] AS kind, 'i' || hash({number} * 3) % 2000 AS item_id, "
        f"'c' || hash({number} * 3) % 20 AS category_id, 1 + (hash({number} * 11) % 3)::INT AS quantity, '搜索' AS source "
        f"FROM range({sessions * EVENTS_A_DAY}) t(i) ORDER BY ts"
    )


def fill(engine: Engine, events: int) -> None:
    """About `events` events, an order line for every 50 of them, a customer row for each person, and the facts beside them."""
    engine.create_tables()
    for day in range(DAYS):
        engine.execute(f"INSERT INTO events {events_sql(events, day)}")
    orders(engine, events)
    customers(engine, events)
    daily.rebuild(engine)
    engine.execute("CHECKPOINT")


def orders(engine: Engine, events: int) -> None:
    n = events // 50
    created = (
        f"TIMESTAMP '{FIRST_DAY}' + to_seconds(CAST(i * {_SECONDS}.0 / {n} AS BIGINT)) "
        "- to_days(CASE WHEN i % 3 = 0 THEN 200 ELSE 0 END)"
    )
    engine.execute(
        f"""INSERT INTO orders SELECT 'o' || i, {_USER.format(people=people_of(events), i="i * 13")},
              'i' || hash(i * 3) % 2000, 'c' || hash(i * 3) % 20, CASE WHEN i % 9 = 0 THEN 'presale' ELSE 'normal' END,
              {created}, CASE WHEN i % 9 = 0 THEN 20 END, CASE WHEN i % 9 = 0 THEN {created} END,
              CASE WHEN i % 5 > 0 THEN {created} + INTERVAL 1 HOUR END,
              (10 + hash(i * 17) % 40000 / 100.0)::DECIMAL(18, 2), NULL, NULL
            FROM range({n}) t(i)"""
    )


def customers(engine: Engine, events: int) -> None:
    engine.execute(
        f"""INSERT INTO customers SELECT 'u' || lpad(i::VARCHAR, 8, '0'), NULL, NULL, '上海',
              CASE WHEN hash(i) % 5 < 2 THEN TIMESTAMP '2025-01-01' + to_days((hash(i * 5) % 520)::INT) END, '普通会员',
              CASE WHEN hash(i * 9) % 3 = 0 THEN TIMESTAMP '2025-01-01' + to_days((hash(i * 5) % 520)::INT) END, 0, 0, 0
            FROM range({people_of(events)}) t(i)"""
    )


def events_csv(engine: Engine, path: Path, sql: str = "SELECT * FROM events") -> int:
    """The rows of `sql` as a CSV file; returns how many."""
    return int(engine.execute(f"COPY ({sql}) TO '{path}' (HEADER)")[0][0])
