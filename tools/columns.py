"""What a row must be: SQL that reads a text value as its column's type, and SQL that says what is wrong with it."""

from __future__ import annotations

from knowledge.catalog import Column

_MAX_MONEY = 1_000_000_000


def typed(column: Column, raw: str) -> str:
    """SQL that turns the text expression `raw` into the column's type, or NULL where it cannot."""
    text = f"nullif(trim({raw}), '')"
    if column.type in ("text", "choice"):
        if column.type == "text":
            return text
        cases = " ".join(
            f"WHEN {quote(word.lower())} THEN {quote(value)}"
            for value, words in column.values.items()
            for word in (value, *words)
        )
        return f"CASE lower({text}) {cases} END"
    if column.type in ("time", "day"):
        # A zone behind the time would be dropped by the cast; such a value is refused instead.
        plain_time = f"CASE WHEN length({text}) <= 19 OR {text}[20] = '.' THEN try_cast({text} AS TIMESTAMP) END"
        whole = f"date_trunc('second', {plain_time})"
        if column.end_of_day:
            whole = f"CASE WHEN contains({text}, ':') THEN {whole} ELSE {whole} + INTERVAL '86399 seconds' END"
        return f"CAST({whole} AS DATE)" if column.type == "day" else whole
    if column.type == "flag":
        return (
            f"CASE WHEN lower({text}) IN ('1', 'true', 'y', 'yes', '是') THEN 1 "
            f"WHEN lower({text}) IN ('0', 'false', 'n', 'no', '否') THEN 0 END"
        )
    number = f"replace({text}, ',', '')"
    return (
        f"try_cast({number} AS {({'money': 'DECIMAL(18, 2)', 'number': 'DOUBLE', 'integer': 'BIGINT'})[column.type]})"
    )


def problem(name: str, column: Column, raw: str, value: str) -> str:
    """SQL: NULL when the value is fine, else `column<tab>reason`."""
    given = f"nullif(trim({raw}), '') IS NOT NULL"
    wrong = {"time": "not_a_time", "day": "not_a_time", "flag": "not_a_flag", "choice": "not_a_choice"}
    cases = []
    if column.required:
        cases.append(f"WHEN NOT ({given}) THEN {quote(name + chr(9) + 'missing')}")
    if column.type != "text":
        reason = wrong.get(column.type, "not_a_number")
        cases.append(f"WHEN {given} AND {value} IS NULL THEN {quote(name + chr(9) + reason)}")
    if column.type in ("time", "day"):
        cases.append(f"WHEN year({value}) NOT BETWEEN 2000 AND 2099 THEN {quote(name + chr(9) + 'absurd_time')}")
    if column.type in ("money", "integer"):
        cases.append(f"WHEN {value} < 0 THEN {quote(name + chr(9) + 'negative')}")
    if column.type == "money":
        cases.append(f"WHEN {value} > {_MAX_MONEY} THEN {quote(name + chr(9) + 'absurd_amount')}")
    return f"CASE {' '.join(cases)} END" if cases else "NULL"


# A row's columns may be fine one by one and wrong together.
ROW_RULES = {
    "orders": [
        ("paid_at", "paid_before_created", "CAST(paid_at AS DATE) < CAST(created_at AS DATE)"),
        ("deposit_paid_at", "paid_before_created", "CAST(deposit_paid_at AS DATE) < CAST(created_at AS DATE)"),
    ],
    "coupons": [("valid_to", "ends_before_begin", "valid_to < valid_from")],
}


def quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
