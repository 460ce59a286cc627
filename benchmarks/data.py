"""Generated data for the benchmarks, made by DuckDB itself: long-tailed people over two months of a campaign."""

from __future__ import annotations

from pathlib import Path

from tools.engine import Engine

# A square makes few people do much: user number = people × u².
_USER = (
    "'u' || lpad(CAST(floor({people} * pow((hash({i} * 7919) % 1000003) / 1000003.0, 2)) AS BIGINT)::VARCHAR, 8, '0')"
)
_TIME = "TIMESTAMP '2026-05-01' + to_seconds(CAST({i} * 4060800.0 / {n} AS BIGINT))"  # until 06-17 00:00, in order


def fill(engine: Engine, events: int, people: int) -> None:
    """`events` events of `people` people, an order line for every 40 events, a customer row for each person."""
    engine.create_tables()
    user, at = _USER.format(people=people, i="i"), _TIME.format(i="i", n=events)
    engine.execute(
        f"""INSERT INTO events SELECT {user}, {at},
              ['visit','visit','visit','visit','visit','favorite','cart','coupon_claim'][1 + (hash(i * 31) % 8)::INT],
              'i' || hash(i * 3) % 2000, 'c' || hash(i * 3) % 20, 1 + (hash(i * 11) % 3)::INT, '搜索'
            FROM range({events}) t(i)"""
    )
    n = events // 40
    order_at = _TIME.format(i="i", n=n)
    engine.execute(
        f"""INSERT INTO orders SELECT 'o' || i, {_USER.format(people=people, i="i * 13")}, 'i' || hash(i * 3) % 2000,
              'c' || hash(i * 3) % 20, CASE WHEN i % 9 = 0 THEN 'presale' ELSE 'normal' END,
              {order_at} - to_days(CASE WHEN i % 3 = 0 THEN 200 ELSE 0 END), CASE WHEN i % 9 = 0 THEN 20 END,
              CASE WHEN i % 9 = 0 THEN {order_at} - to_days(CASE WHEN i % 3 = 0 THEN 200 ELSE 0 END) END,
              CASE WHEN i % 5 > 0 THEN {order_at} - to_days(CASE WHEN i % 3 = 0 THEN 200 ELSE 0 END) + INTERVAL 1 HOUR END,
              (10 + hash(i * 17) % 40000 / 100.0)::DECIMAL(18, 2), NULL, NULL
            FROM range({n}) t(i)"""
    )
    engine.execute(
        f"""INSERT INTO customers SELECT 'u' || lpad(i::VARCHAR, 8, '0'), NULL, NULL, '上海',
              CASE WHEN hash(i) % 5 < 2 THEN TIMESTAMP '2025-01-01' + to_days((hash(i * 5) % 520)::INT) END, '普通会员',
              CASE WHEN hash(i * 9) % 3 = 0 THEN TIMESTAMP '2025-01-01' + to_days((hash(i * 5) % 520)::INT) END, 0, 0, 0
            FROM range({people}) t(i)"""
    )
    engine.execute("CHECKPOINT")


def events_csv(engine: Engine, path: Path) -> int:
    """The events as a CSV file; returns its rows."""
    engine.execute(f"COPY events TO '{path}' (HEADER)")
    return int(engine.query("SELECT count(*) AS n FROM events")[0]["n"])
