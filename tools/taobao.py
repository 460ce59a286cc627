"""Taobao's public UserBehavior log: user, item, category, behaviour, unix seconds; no header; +08:00.

`pv`, `fav` and `cart` become events, `buy` a paid order line of unknown amount.
"""

from __future__ import annotations

from knowledge import catalog
from tools import daily
from tools.columns import rules
from tools.engine import SQL_TYPES
from tools.errors import NeedsPerson
from tools.ledger import Job, Report, finish, known, rejects_missing, write_rejects
from tools.records import CsvRecords, Refused
from tools.store import drop_stored, names_of, replace_keys

COLUMNS = {
    "user id": "user_id",
    "item id": "item_id",
    "category id": "category_id",
    "behaviour": "kind",
    "unix seconds": "ts",
}
_BEHAVIOUR = {"pv": "visit", "fav": "favorite", "cart": "cart"}
_SECOND, _KIND = "try_cast(t4 AS BIGINT)", "lower(t3)"
_PLAUSIBLE = f"{_SECOND} BETWEEN 946684800 AND 4102444799"
_MOMENT = f"CASE WHEN {_PLAUSIBLE} THEN make_timestamp(({_SECOND} + 8 * 3600) * 1000000) END"
_VERDICT = (
    "CASE WHEN t0 IS NULL THEN 'user id\tmissing' "
    f"WHEN coalesce({_KIND}, '') NOT IN ('pv', 'fav', 'cart', 'buy') THEN 'behaviour\tnot_a_choice' "
    f"WHEN {_KIND} = 'buy' AND t1 IS NULL THEN 'item id\tmissing' "
    f"WHEN NOT coalesce({_PLAUSIBLE}, false) THEN 'unix seconds\tnot_a_time' "
    "WHEN moment > TIMESTAMP '{latest:%Y-%m-%d %H:%M:%S}' THEN 'unix seconds\tin_future' END"
)
_ORDER = {
    "order_id": "'tb-' || t0 || '-' || t1 || '-' || t4", "user_id": "t0", "item_id": "t1",
    "category_id": "t2", "kind": "'normal'", "created_at": "moment", "paid_at": "moment",
}  # fmt: skip


def load(job: Job, records: CsvRecords) -> Report:
    """Store the log inside the caller's transaction. NeedsPerson when it does not have the five columns."""
    report = Report("events", job.file, columns=dict(COLUMNS))
    if known(job, report, records):
        if rejects_missing(report) and not job.dry_run:
            report.rejects_file = str(write_rejects(job, report, _refused(job, records), records))
        return report
    width = len(records.text.first_record())
    if width != len(COLUMNS):
        raise NeedsPerson("taobao_columns", file=records.path.name, found=width)
    engine = job.engine
    events, orders = catalog.tables()["events"], catalog.tables()["orders"]
    kinds = " ".join(f"WHEN '{a}' THEN '{b}'" for a, b in _BEHAVIOUR.items())
    order_values = ", ".join(
        f'{_ORDER[c]} AS "{c}"' if c in _ORDER else f'CAST(NULL AS {SQL_TYPES[d.type]}) AS "{c}"'
        for c, d in orders.columns.items()
    )
    start = engine.execute("SELECT coalesce(max(rowid) + 1, 0) FROM events")[0][0]
    seen = engine.execute(
        f"INSERT INTO events ({names_of(events)}) SELECT t0, moment, CASE kind {kinds} END, t1, t2, NULL, NULL "
        f"FROM ({_rows(job, records, numbered=False, good=True)}) WHERE kind <> 'buy'"
    )[0][0]
    duplicates = drop_stored(engine, "events", events, names_of(events), start)
    daily.added(engine, "events", start)
    engine.execute(
        f"CREATE OR REPLACE TEMP TABLE _incoming AS SELECT {order_values}, _row "
        f"FROM ({_rows(job, records, numbered=True, good=True)}) WHERE kind = 'buy'"
    )
    bought = replace_keys(engine, "orders", orders, set(orders.columns))
    report.accepted, report.duplicates = seen + bought.accepted, duplicates + bought.duplicates
    report.updated, report.lost = bought.updated, bought.lost
    report.also = {"orders": bought.accepted}
    refused = _refused(job, records) if report.accepted != records.expected else []
    finish(job, report, refused, records)
    return report


def _rows(job: Job, records: CsvRecords, *, numbered: bool, good: bool) -> str:
    base = records.texts(numbered=numbered, keep_aside=not good)
    verdict = _VERDICT.format(latest=rules(job.zone, job.now).latest)
    typed = f"SELECT *, {_KIND} AS kind, {_MOMENT} AS moment, {verdict} AS _verdict FROM ({base})"
    return f"SELECT * FROM ({typed}) WHERE _verdict IS {'' if good else 'NOT '}NULL"


def _refused(job: Job, records: CsvRecords) -> list[Refused]:
    wrong = job.engine.query(_rows(job, records, numbered=True, good=False))
    lines = records.lines({row["_row"] for row in wrong})
    places = {title: i for i, title in enumerate(COLUMNS)}
    out = []
    for row in wrong:
        title, reason = row["_verdict"].split("\t")
        out.append((lines.get(row["_row"], 0), title, row[f"t{places[title]}"] or "", reason))
    return out + records.misshapen(job.engine)
