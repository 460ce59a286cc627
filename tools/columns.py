"""What a row must be, as SQL over its columns' texts.

A text becomes its column's type, or, where it cannot be read, a value that no good row has (SENTINELS). So the fast way can
store everything and look afterwards, column by column, whether anything is bad; the reason is worked out for bad rows only.
"""

from __future__ import annotations

from knowledge.catalog import Column, TableDef

_FIRST, _LAST = "TIMESTAMP '2000-01-01'", "TIMESTAMP '2099-12-31 23:59:59'"
_MAX_MONEY = 1_000_000_000
_GROUPED = r"[+-]?(?:\d+|\d{1,3}(?:,\d{3})+)"
SENTINELS = {
    "choice": "'?'",
    "time": "TIMESTAMP '1000-01-01'",
    "day": "DATE '1000-01-01'",
    "flag": "-1",
    "integer": "-1",
    "money": "-1",
    "number": "'nan'::DOUBLE",
}
_UNREADABLE = {"time": "not_a_time", "day": "not_a_time", "flag": "not_a_flag", "choice": "not_a_choice"}

# A row's columns may be fine one by one and wrong together: (column, reason, what is wrong).
ROW_RULES = {
    "orders": [
        ("paid_at", "paid_before_created", "CAST(paid_at AS DATE) < CAST(created_at AS DATE)"),
        ("deposit_paid_at", "paid_before_created", "CAST(deposit_paid_at AS DATE) < CAST(created_at AS DATE)"),
    ],
    "coupons": [("valid_to", "ends_before_begin", "valid_to < valid_from")],
}


def quote(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def parsed(column: Column, text: str) -> str:
    """`text` (an SQL expression, NULL where empty) as the column's type, NULL where it cannot be read."""
    if column.type == "text":
        return text
    if column.type == "choice":
        cases = " ".join(
            f"WHEN {quote(word.lower())} THEN {quote(value)}"
            for value, words in column.values.items()
            for word in (value, *words)
        )
        return f"CASE lower({text}) {cases} END"
    if column.type in ("time", "day"):
        # A zone or PM behind the time would be dropped by the cast: whatever does not end in a digit is refused.
        moment = (
            f"CASE WHEN length({text}) <= 19 AND right({text}, 1) BETWEEN '0' AND '9' THEN try_cast({text} AS TIMESTAMP) "
            f"WHEN {text}[20] = '.' THEN date_trunc('second', try_cast({text} AS TIMESTAMP)) END"
        )
        if column.end_of_day:
            moment = f"CASE WHEN contains({text}, ':') THEN {moment} ELSE {moment} + INTERVAL '86399 seconds' END"
        return f"CAST({moment} AS DATE)" if column.type == "day" else moment
    if column.type == "flag":
        return (
            f"CASE WHEN lower({text}) IN ('1', 'true', 'y', 'yes', '是') THEN 1 "
            f"WHEN lower({text}) IN ('0', 'false', 'n', 'no', '否') THEN 0 END"
        )
    plain = f"replace({text}, ',', '')"
    if column.type == "integer":
        # Nearly every quantity is one digit; the pattern is only for the others.
        return (
            f"CASE WHEN length({text}) = 1 AND {text} BETWEEN '0' AND '9' THEN try_cast({text} AS BIGINT) "
            f"WHEN regexp_full_match({text}, {quote(_GROUPED + '(?:[.]0+)?')}) THEN try_cast({plain} AS BIGINT) END"
        )
    pattern = quote(_GROUPED + r"(?:[.]\d+)?" + (r"(?:[eE][+-]?\d+)?" if column.type == "number" else ""))
    kind = "DOUBLE" if column.type == "number" else "DECIMAL(18, 2)"
    return f"CASE WHEN regexp_full_match({text}, {pattern}) THEN try_cast({plain} AS {kind}) END"


def stored(column: Column, text: str) -> str:
    """`text` as it is stored at first: its value, the column's sentinel where it cannot be read, NULL where it is empty."""
    if column.type == "text":
        return text
    return f"coalesce({parsed(column, text)}, CASE WHEN {text} IS NOT NULL THEN {SENTINELS[column.type]} END)"


def bad(table: str, definition: TableDef) -> str:
    """Whether a stored row must not stay, over its columns."""
    tests = []
    for name, column in definition.columns.items():
        if column.required:
            tests.append(f'"{name}" IS NULL')
        if column.type in ("time", "day"):
            tests.append(f'"{name}" < {_FIRST} OR "{name}" > {_LAST}')
        elif column.type in ("money", "integer", "flag"):
            tests.append(f'"{name}" < 0')
        elif column.type == "number":
            tests.append(f'NOT isfinite("{name}")')
        elif column.type == "choice":
            tests.append(f"\"{name}\" = '?'")
        if column.type == "money":
            tests.append(f'"{name}" > {_MAX_MONEY}')
    tests += [rule for _, _, rule in ROW_RULES.get(table, [])]
    return " OR ".join(f"coalesce({t}, false)" for t in tests)


def reason(table: str, definition: TableDef, texts: dict[str, str]) -> str:
    """SQL: `column<tab>reason` of a bad row. `texts` are the SQL expressions of the columns that the file has."""
    cases = []
    for name, text in texts.items():
        column = definition.columns[name]
        value = parsed(column, text)

        def case(test: str, why: str, name: str = name) -> str:
            return f"WHEN {test} THEN {quote(name + chr(9) + why)}"

        if column.required:
            cases.append(case(f"{text} IS NULL", "missing"))
        if column.type == "text":
            continue
        cases.append(case(f"{text} IS NOT NULL AND {value} IS NULL", _UNREADABLE.get(column.type, "not_a_number")))
        if column.type in ("time", "day"):
            cases.append(case(f"NOT ({value} BETWEEN {_FIRST} AND {_LAST})", "absurd_time"))
        elif column.type in ("money", "integer"):
            cases.append(case(f"{value} < 0", "negative"))
        elif column.type == "number":
            cases.append(case(f"NOT isfinite({value})", "not_a_number"))
        if column.type == "money":
            cases.append(case(f"{value} > {_MAX_MONEY}", "absurd_amount"))
    cases += [f"WHEN {rule} THEN {quote(column + chr(9) + why)}" for column, why, rule in ROW_RULES.get(table, [])]
    return f"CASE {' '.join(cases)} END"
