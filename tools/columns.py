"""What a row must be, as SQL over its columns' texts.

A text becomes its column's type, or, where it cannot be read, a value that no good row has (SENTINELS). So the fast way can
store everything and look afterwards, column by column, whether anything is bad; the reason is worked out for bad rows only.
The usual way of writing a value is read first and cheaply; only what is written otherwise meets the rules of tools/repairs.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from knowledge.catalog import Column, TableDef
from tools import repairs
from tools.repairs import MOMENT
from tools.sql import quote

_FIRST, _LAST = "TIMESTAMP '2000-01-01'", "TIMESTAMP '2099-12-31 23:59:59'"
_MAX = {"money": 1_000_000_000, "integer": 1_000_000_000}
SENTINELS = {
    "text": "chr(1)",
    "choice": "'?'",
    "time": "TIMESTAMP '1000-01-01'",
    "day": "DATE '1000-01-01'",
    "flag": "-1",
    "integer": "-1000000000007",
    "money": "-1000000000000.07",
    "number": "'nan'::DOUBLE",
}
_UNREADABLE = {
    "text": "digits_lost", "time": "not_a_time", "day": "not_a_time", "flag": "not_a_flag", "choice": "not_a_choice",
}  # fmt: skip


@dataclass(frozen=True)
class Rules:
    """By what the values of one file are judged.

    `zone`: the shop's time zone (IANA), into which times with a zone of their own are brought. `latest`: what is past cannot be
    later (shop time). `odd`: which of the signs `.+='`, that ids to be mended have, the file holds.
    """

    zone: str
    latest: datetime
    odd: str = ".+='"


def rules(zone: tzinfo, now: datetime, odd: str = ".+='") -> Rules:
    """Nothing past is later than a day from now, by the shop's clock `now` or the real one, whichever is later: a shop whose
    clock is pinned may hold newer data, and clocks differ by hours, not by days."""
    latest = max(now, datetime.now(zone).replace(tzinfo=None, microsecond=0)) + timedelta(days=1)
    return Rules(str(zone), latest, odd)


def _not_after(earlier: str, later: str) -> str:
    """Whether `later` lies before `earlier`. A day without a time (midnight) may be any time of that day."""
    on_the_day = f"{later} = date_trunc('day', {later}) AND CAST({earlier} AS DATE) = CAST({later} AS DATE)"
    return f"{later} < {earlier} AND NOT ({on_the_day})"


# A row's columns may be fine one by one and wrong together: (column, reason, what is wrong).
ROW_RULES = {
    "orders": [
        ("paid_at", "paid_before_created", _not_after("created_at", "paid_at")),
        ("deposit_paid_at", "paid_before_created", _not_after("created_at", "deposit_paid_at")),
        ("paid_at", "balance_before_deposit", _not_after("deposit_paid_at", "paid_at")),
    ],
    "coupons": [("valid_to", "ends_before_begin", "valid_to < valid_from")],
    "touches": [("cost", "negative", "cost < 0")],
}


# --- reading a value ---------------------------------------------------------------------------------------------


_PLAIN = {
    "integer": "[+-]?[0-9]+(?:[.]0+)?",
    "money": "[+-]?[0-9]+(?:[.][0-9]{1,2}0*)?",
    "number": "[+-]?[0-9]+(?:[.][0-9]+)?(?:[eE][+-]?[0-9]+)?",
}


def mendable(name: str, column: Column, rules: Rules) -> bool:
    """Whether values of the column that are not written the usual way meet the rules of tools/repairs.py."""
    if column.type == "text":
        return repairs.is_id(name) and bool(rules.odd)
    return column.type in ("time", "day", "money", "integer", "number")


def parsed(name: str, column: Column, text: str, rules: Rules, *, count: bool = False) -> str:
    """`text` (an SQL expression, NULL where empty) as the column's type, NULL where it cannot be read.

    `count`: values that are not written the usual way are counted (repairs.start, repairs.total).
    """
    if column.type == "choice":
        cases = " ".join(
            f"WHEN {quote(word.lower())} THEN {quote(value)}"
            for value, words in column.values.items()
            for word in (value, *words)
        )
        return f"CASE lower({text}) {cases} END"
    if column.type == "flag":
        return (
            f"CASE WHEN lower({text}) IN ('1', 'true', 'y', 'yes', '是') THEN 1 "
            f"WHEN lower({text}) IN ('0', 'false', 'n', 'no', '否') THEN 0 END"
        )
    if not mendable(name, column, rules):
        return text
    cases = " ".join(f"WHEN {test} THEN {value}" for test, value in _usual(column, text, rules))
    mended = _mended(column, text, rules)
    value = f"CASE WHEN {text} IS NULL THEN NULL {cases} ELSE {repairs.counted(name, mended) if count else mended} END"
    if column.end_of_day:
        value = f"CASE WHEN regexp_matches({text}, '[:时点]') THEN {value} ELSE {value} + INTERVAL '86399 seconds' END"
    return f"CAST({value} AS DATE)" if column.type == "day" else value


def _usual(column: Column, text: str, rules: Rules) -> list[tuple[str, str]]:
    """The usual ways of writing a value: (whether `text` is written so, its value), the commonest and cheapest first."""
    if column.type == "text":
        return [(test, text) for test in repairs.usual_id(text, rules.odd)]
    if column.type in ("time", "day"):
        # The cast drops a zone silently: 19 characters with a colon before the seconds leave room for a Z alone.
        cast = f"try_cast({text} AS TIMESTAMP)"
        return [
            (f"strlen({text}) = 19 AND {text}[17] = ':' AND NOT suffix({text}, 'Z')", cast),
            (f"regexp_full_match({text}, {quote(MOMENT)})", f"date_trunc('second', {cast})"),
        ]
    if column.type == "integer":
        # Nearly every quantity is one digit; the pattern is only for the others.
        one = (f"length({text}) = 1 AND {text} BETWEEN '0' AND '9'", f"try_cast({text} AS BIGINT)")
        return [one, (f"regexp_full_match({text}, {quote(_PLAIN[column.type])})", repairs.cast(text, column.type))]
    return [(f"regexp_full_match({text}, {quote(_PLAIN[column.type])})", repairs.cast(text, column.type))]


def _mended(column: Column, text: str, rules: Rules) -> str:
    """What a value written otherwise is read as; NULL where no rule reads it."""
    if column.type == "text":
        return repairs.identifier(text)
    if column.type in ("time", "day"):
        return repairs.moment(text, rules.zone)
    return repairs.amount(text, column.type)


def mended(definition: TableDef, texts: dict[str, str], rules: Rules) -> str:
    """SQL: the columns of a row that are not written the usual way, with commas between; '' where there are none."""
    names = []
    for name, text in texts.items():
        column, unusual = definition.columns[name], repairs.nothing(text)
        if mendable(name, column, rules):
            usual = " OR ".join(f"({test})" for test, _ in _usual(column, text, rules))
            unusual += f" OR NOT ({usual})"
        names.append(f"CASE WHEN {text} IS NOT NULL AND ({unusual}) THEN {quote(name)} END")
    return f"concat_ws(',', {', '.join(names)})" if names else "''"


def stored(name: str, column: Column, text: str, rules: Rules, *, count: bool = False) -> str:
    """`text` as it is stored at first: its value, the column's sentinel where it cannot be read, NULL where it is empty or
    says so (repairs.nothing)."""
    value, nothing = parsed(name, column, text, rules, count=count), repairs.nothing(text)
    none = "CAST(NULL AS VARCHAR)" if column.type == "text" else "NULL"
    noted = repairs.counted(name, none) if count else none
    if column.type == "text":
        if value != text:
            value = f"coalesce({value}, CASE WHEN {text} IS NOT NULL THEN {SENTINELS['text']} END)"
        return f"CASE WHEN {nothing} THEN {noted} ELSE {value} END"
    # Only what could not be read is looked at. Where a column is mended, that has been counted already, but for the day that
    # looks like one and is none.
    if column.type in ("choice", "flag"):
        empty = f"WHEN {nothing} THEN {noted}"
    elif column.type in ("time", "day"):
        empty = f"WHEN {repairs.no_day(text)} THEN {noted} WHEN {nothing} THEN NULL"
    else:
        empty = f"WHEN {nothing} THEN NULL"
    return f"coalesce({value}, CASE WHEN {text} IS NULL THEN NULL {empty} ELSE {SENTINELS[column.type]} END)"


# --- judging a row -----------------------------------------------------------------------------------------------


def bad(table: str, definition: TableDef, rules: Rules) -> str:
    """Whether a stored row must not stay, over its columns."""
    tests = []
    for name, column in definition.columns.items():
        if column.required:
            tests.append(f'"{name}" IS NULL')
        if column.type in ("time", "day"):
            tests.append(f'"{name}" < {_FIRST} OR "{name}" > {_LAST if column.ahead else _moment(rules.latest)}')
        elif column.type in ("money", "integer", "flag"):
            tests.append(f'"{name}" < 0')
        elif column.type == "number":
            tests.append(f'NOT isfinite("{name}")')
        elif column.type == "choice":
            tests.append(f"\"{name}\" = '?'")
        elif mendable(name, column, rules):
            tests.append(f'"{name}" = {SENTINELS["text"]}')
        if column.type in _MAX:
            tests.append(f'"{name}" > {_MAX[column.type]}')
    tests += [rule for _, _, rule in ROW_RULES.get(table, [])]
    return " OR ".join(f"coalesce({t}, false)" for t in tests)


def reason(table: str, definition: TableDef, texts: dict[str, str], rules: Rules) -> str:
    """SQL: `column<tab>reason` of a bad row, over its columns as they are stored at first. `texts` are the SQL expressions of
    the columns that the file has."""
    cases = []
    for name, text in texts.items():
        column, value = definition.columns[name], f'"{name}"'

        def case(test: str, why: str, name: str = name) -> str:
            return f"WHEN {test} THEN {quote(name + chr(9) + why)}"

        if column.required:
            cases.append(case(f"{value} IS NULL", "missing"))
        if column.type == "text" and not mendable(name, column, rules):
            continue
        if column.type == "text":
            cases.append(case(f"{text} = {SENTINELS['text']}", "unreadable_line"))
        if column.type == "number":
            cases.append(case(f"NOT isfinite({value})", "not_a_number"))
        else:
            why = _UNREADABLE.get(column.type, "not_a_number")
            cases.append(case(f"{value} = {SENTINELS[column.type]}", why))
        if column.type in ("time", "day"):
            cases.append(case(f"NOT ({value} BETWEEN {_FIRST} AND {_LAST})", "absurd_time"))
            if not column.ahead:
                cases.append(case(f"{value} > {_moment(rules.latest)}", "in_future"))
        elif column.type in _MAX:
            cases.append(case(f"{value} < 0", "negative"))
            cases.append(case(f"{value} > {_MAX[column.type]}", "absurd_amount"))
    cases += [f"WHEN {rule} THEN {quote(column + chr(9) + why)}" for column, why, rule in ROW_RULES.get(table, [])]
    return f"CASE {' '.join(cases)} END"


def _moment(at: datetime) -> str:
    return f"TIMESTAMP '{at:%Y-%m-%d %H:%M:%S}'"
