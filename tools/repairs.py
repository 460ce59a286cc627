"""Values that are mended by rule, as SQL over a value's text. What no rule reads stays unread, and its row is rejected.

| written | read as | |
|---|---|---|
| 12.5元, ¥12.5, ￥12.5, RMB 12.5, 1,234.50, １２．５ | 12.50 | money, `number`, `integer`: one currency or counting word |
| 1.2万, 3千, 1.5亿 | 12000.00, 3000.00, 150000000.00 | exactly, whatever is behind the point |
| 3件, 12 单, 5人 | 3 | counting words, for `integer` |
| 85%, 85％ | 0.85 | `number` only: nobody writes money so |
| 12.345 | 12.35 | money to the cent, half away from zero |
| 1.2345E+2, -2.8E-17 | 123.45, 0.00 | money, `integer`, where all digits before the point are written |
| 2026-06-01T02:00:00Z, … +0800, … -05:00, … UTC+8 | the shop's time | |
| 2026年6月1日 10时05分 | 2026-06-01 10:05:00 | |
| 12345.0, 1.2345E+4, ="12345", '12345 | 12345 | ids and phone numbers |
| -, --, —, /, 无, null, None, nan, N/A, \\N, 0000-00-00 (00:00:00) | empty | every column; see _NOTHING for the spellings |
| 1.23E+15, 1234567890123456.0 | (none) | ids: digits are lost, so two people could become one |

Whoever reads a value so counts it: `counted` notes each use in a sequence of the session, so that a file which needs no mending
pays nothing for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tools.sql import quote

if TYPE_CHECKING:
    from tools.engine import Engine

_WIDE, _NARROW = "０１２３４５６７８９．，％＋－：￥\u3000\u00a0", "0123456789.,%+-:¥  "
_NUMBER = r"(?:(?:\d+|\d{1,3}(?:,\d{3})+)(?:[.]\d+)?|[.]\d+)"
_CURRENCY = r"(?:¥|RMB|CNY|人民币)?"
_MONEY_WORDS = "元|圆|块|块钱|RMB|CNY"
_COUNT_WORDS = "件|个|单|次|人|位|名|张|条|份|套|盒|瓶|支|只|箱|袋|包|双|台|笔|分|天"
_TIMES = {"百": 100, "千": 1_000, "万": 10_000, "百万": 1_000_000, "千万": 10_000_000, "亿": 100_000_000}
_SCIENTIFIC = r"([+-]?)(\d)[.]?(\d*)[eE]([+-]?\d{1,2})"
_DAY = r"\d{4}[-/]\d{1,2}[-/]\d{1,2}"
_CLOCK = r"\d{1,2}:\d{1,2}(?::\d{1,2}(?:[.]\d+)?)?"
MOMENT = f"{_DAY}(?:[ T]{_CLOCK})?"
_ZONED = rf"({_DAY}[ T]{_CLOCK})\s*(?:Z|z|UTC|GMT|(?:UTC|GMT)?([+-])(\d{{1,2}})(?::?(\d{{2}}))?)"
_CHINESE = (
    r"(\d{4})年(\d{1,2})月(\d{1,2})[日号]\s*(?:(\d{1,2})[:时点](?:(\d{1,2})(?::(\d{1,2})|分(?:(\d{1,2})秒)?)?)?)?"
)
# What programs and people write for "empty". Every spelling: to change the case of each short value would take longer.
_NOTHING = (
    "-", "--", "—", "/", "无", "\\N", "N/A", "n/a", "nan", "NaN", "NAN", "null", "Null", "NULL", "none", "None", "NONE",
)  # fmt: skip
_LONGEST = max(len(word.encode()) for word in _NOTHING)
_NO_DAY = ("0000-00-00", "0000-00-00 00:00:00")
_EXACT = 15  # digits that programs keep of a number
_HUGE = 10**15  # more than any rule allows: a number that does not fit its type is too large, not unreadable


def _part(text: str, pattern: str, group: int) -> str:
    return f"regexp_extract({text}, {quote('^(?:' + pattern + ')$')}, {group})"


def _matches(text: str, pattern: str) -> str:
    return f"regexp_full_match({text}, {quote(pattern)})"


# --- nothing -----------------------------------------------------------------------------------------------------


def nothing(text: str) -> str:
    """Whether `text` stands for "empty". Nearly every value is longer than the short ones: only then is more looked at."""
    words = ", ".join(map(quote, _NOTHING))
    return f"(strlen({text}) <= {_LONGEST} AND {text} IN ({words}) OR {no_day(text)})"


def no_day(text: str) -> str:
    """Whether `text` is the day that databases write where there is none."""
    return "(" + " OR ".join(f"{text} = {quote(day)}" for day in _NO_DAY) + ")"


# --- numbers -----------------------------------------------------------------------------------------------------


def with_words(kind: str) -> str:
    """The pattern of a number of `kind` money | number | integer with what people write around it, in half-width signs."""
    words = {"money": _MONEY_WORDS, "integer": _COUNT_WORDS}.get(kind, f"{_MONEY_WORDS}|{_COUNT_WORDS}|%")
    return rf"([+-]?){_CURRENCY}\s*([+-]?)({_NUMBER})\s*({'|'.join(_TIMES)})?\s*({words})?"


def half_width(text: str) -> str:
    """What a number is looked at as, in Python; in SQL it is the same translation."""
    return text.translate(str.maketrans(_WIDE, _NARROW))


def amount(text: str, kind: str) -> str:
    """`text` with units, grouping, full-width signs, for `kind` money | number | integer: its SQL value, NULL where unread."""
    cents = {"money": r"(?:[.]\d{1,2})?", "number": r"(?:[.]\d+)?", "integer": ""}[kind]
    narrow = f"translate({text}, {quote(_WIDE)}, {quote(_NARROW)})"
    found = (
        f"regexp_extract({narrow}, {quote(f'^(?:{with_words(kind)})$')}, ['sign', 'second', 'digits', 'times', 'word'])"
    )
    cases = " ".join(f"WHEN {quote(word)} THEN {times}" for word, times in _TIMES.items())
    size = (
        f"(CASE p.times {cases} ELSE 1 END) * coalesce(try_cast({_ungrouped('p.digits')} AS DECIMAL(27, 9)), {_HUGE})"
    )
    value = f"(CASE WHEN (p.sign || p.second) IN ('', '+') THEN 1 ELSE -1 END) * {size}"
    if kind == "number":  # a percentage is of one, exactly
        value = f"CASE WHEN p.word = '%' THEN {value} * 0.01 ELSE {value} END"
    # Two signs say nothing that anybody means; a part of a thing is none.
    meant = "p.digits <> '' AND strlen(p.sign || p.second) < 2" + (f" AND {size} % 1 = 0" if kind == "integer" else "")
    once = f"CASE WHEN {meant} THEN {cast(value, kind)} END"
    return (
        f"CASE WHEN {_matches(text, r'[+-]?[0-9]{1,3}(?:,[0-9]{3})+' + cents)} THEN {cast(_ungrouped(text), kind)} "
        f"WHEN {_matches(narrow, _SCIENTIFIC)} THEN {_scientific(narrow, kind)} "
        f"ELSE list_transform([{found}], lambda p: {once})[1] END"  # the list of one: looked for once, used six times
    )


def _ungrouped(text: str) -> str:
    return f"replace({text}, ',', '')"


def _scientific(text: str, kind: str) -> str:
    """A number with an exponent, where all its digits before the point are written: 1.23E+2, not 1.2E+2."""
    decimals, power = _part(text, _SCIENTIFIC, 3), f"try_cast({_part(text, _SCIENTIFIC, 4)} AS INTEGER)"
    number = f"try_cast({text} AS DOUBLE)"
    whole = f" AND {number} = trunc({number})" if kind == "integer" else ""
    return f"CASE WHEN strlen({decimals}) >= {power}{whole} THEN {cast(number, kind)} END"


def cast(value: str, kind: str) -> str:
    """A text or number that is one for certain, as `kind`."""
    if kind == "number":
        return f"try_cast({value} AS DOUBLE)"
    return f"coalesce(try_cast({value} AS {'BIGINT' if kind == 'integer' else 'DECIMAL(18, 2)'}), {_HUGE})"


# --- times -------------------------------------------------------------------------------------------------------


def moment(text: str, zone: str) -> str:
    """A time that names its zone, in `zone` (IANA), or one in Chinese; to the second; NULL where unread."""
    hours, minutes = (f"coalesce(try_cast({_part(text, _ZONED, i)} AS INTEGER), 0)" for i in (3, 4))
    seconds = f"(CASE {_part(text, _ZONED, 2)} WHEN '-' THEN -1 ELSE 1 END) * ({hours} * 3600 + {minutes} * 60)"
    utc = f"try_cast({_part(text, _ZONED, 1)} AS TIMESTAMP) - to_seconds({seconds})"
    local = f"timezone({quote(zone)}, timezone('UTC', {utc}))"
    day = " || '-' || ".join(_part(text, _CHINESE, i) for i in (1, 2, 3))
    minute = f"coalesce(nullif({_part(text, _CHINESE, 5)}, ''), '0')"
    second = f"coalesce(nullif({_part(text, _CHINESE, 6)} || {_part(text, _CHINESE, 7)}, ''), '0')"
    hour = f"coalesce(nullif({_part(text, _CHINESE, 4)}, ''), '0')"
    chinese = f"try_cast({day} || ' ' || {hour} || ':' || {minute} || ':' || {second} AS TIMESTAMP)"
    return (
        f"CASE WHEN strlen({text}) = 20 AND suffix({text}, 'Z') AND {text}[17] = ':' "  # what other systems mostly write
        f"THEN timezone({quote(zone)}, timezone('UTC', try_cast({text}[:19] AS TIMESTAMP))) "
        f"WHEN {_matches(text, _ZONED)} AND {hours} <= 14 AND {minutes} < 60 THEN date_trunc('second', {local}) "
        f"WHEN {_matches(text, _CHINESE)} THEN {chinese} END"
    )


# --- ids ---------------------------------------------------------------------------------------------------------


def is_id(column: str) -> bool:
    """Whether a text column names a person or a thing by a number, however a program wrote that number."""
    return column.endswith("_id") or column == "phone"


def usual_id(text: str, odd: str) -> list[str]:
    """Tests of which one holds for an id that is not to be mended, the cheap one first. `odd` are those of the signs `.+='`
    that the file holds: mostly none, and then there is nothing to test."""
    signs = [f"contains({text}, '{sign}')" for sign in ".+" if sign in odd]
    signs += [f"starts_with({text}, {quote(sign)})" for sign in "='" if sign in odd]
    return [f"NOT ({' OR '.join(signs)})", f"NOT {_matches(text, '|'.join((*_SHOWN, _FLOATING, _SCIENTIFIC_ID)))}"]


_SHOWN = ('="[^"]+"', "'.+")  # how CSV is told that a number is a text
_FLOATING = r"\d+[.]0+"
# Without a plus it may be anything: 5e10 is a good hexadecimal id.
_SCIENTIFIC_ID = r"([1-9])(?:[.](\d+))?[eE][+](\d{1,3})"


def identifier(text: str) -> str:
    """An id that is not written the usual way as it was meant; NULL where digits are lost."""
    formula, marked = (_matches(text, pattern) for pattern in _SHOWN)
    whole, decimals, power = (_part(text, _SCIENTIFIC_ID, i) for i in (1, 2, 3))
    digits, power = f"({whole} || {decimals})", f"try_cast({power} AS INTEGER)"
    all_written = f"{power} < {_EXACT} AND strlen({digits}) > {power} AND rtrim({digits}[{power} + 2:], '0') = ''"
    return (
        f"CASE WHEN {formula} THEN nullif(trim({text}[3:-2]), '') WHEN {marked} THEN nullif(trim({text}[2:]), '') "
        f"WHEN {_matches(text, _FLOATING)} THEN CASE WHEN strlen(split_part({text}, '.', 1)) <= {_EXACT} "
        f"THEN split_part({text}, '.', 1) END WHEN {all_written} THEN {digits}[1:{power} + 1] END"
    )


# --- counting ----------------------------------------------------------------------------------------------------


def counted(column: str, value: str) -> str:
    """`value`, noting that it was asked for. Between `start` and `total` only, and once for each row."""
    return f"CASE WHEN nextval('_mended_{column}') > 0 THEN {value} END"


def start(engine: Engine, columns: Iterable[str]) -> None:
    for column in columns:
        engine.execute(f"CREATE OR REPLACE TEMP SEQUENCE _mended_{column}")


def total(engine: Engine, columns: Iterable[str]) -> dict[str, int]:
    """How often each column's mended value was asked for since `start`."""
    found = dict(
        engine.execute(
            "SELECT sequence_name, coalesce(last_value, 0) FROM duckdb_sequences() "
            "WHERE temporary AND starts_with(sequence_name, '_mended_')"
        )
    )
    return {column: found.get(f"_mended_{column}", 0) for column in columns}
