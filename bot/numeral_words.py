"""Numerals in words as values: 一万八 · 三百五 · 廿三 · 二〇二六 · eighteen hundred and thirty-two · a dozen."""

from __future__ import annotations

import re

_SPELLINGS = ("零〇○", "一壹幺", "二贰两俩", "三叁仨", "四肆", "五伍", "六陆", "七柒", "八捌", "九玖")
_DIGITS = {c: n for n, spelling in enumerate(_SPELLINGS) for c in spelling}
_TENS = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000, "万": 10**4, "亿": 10**8}
_SHORT = {"廿": "二十", "卅": "三十"}
DIGIT = "零〇○一壹二贰两三叁四肆五伍六陆七柒八捌九玖"
CHINESE = DIGIT + "十拾百佰千仟万亿廿卅"

_UNITS = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
    "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17, "eighteen": 18,
    "nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
}  # fmt: skip
_SCALES = {"hundred": 100, "thousand": 10**3, "million": 10**6, "billion": 10**9, "dozen": 12}
ENGLISH = "|".join([*_UNITS, *_SCALES])
ORDINALS = {
    "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9, "tenth": 10, "eleventh": 11, "twelfth": 12,
    "thirteenth": 13, "fourteenth": 14, "fifteenth": 15, "sixteenth": 16, "seventeenth": 17, "eighteenth": 18, "nineteenth": 19,
    "twentieth": 20, "twenty-first": 21, "twenty-second": 22, "twenty-third": 23, "twenty-fourth": 24, "twenty-fifth": 25,
    "twenty-sixth": 26, "twenty-seventh": 27, "twenty-eighth": 28, "twenty-ninth": 29, "thirtieth": 30, "thirty-first": 31,
}  # fmt: skip
PARTS = {
    "half": 2, "halves": 2, "third": 3, "quarter": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9, "tenth": 10,
}  # fmt: skip
_MIXED = re.compile(r"(\d+(?:\.\d+)?)?([十拾百佰千仟万亿])")


def chinese(run: str) -> int:
    """The value of a run of Chinese numerals without a point.

    Digits alone are read one by one (二〇二六), a digit after 百, 千, 万 counts its tenths (三百五 is 350), 廿 is 二十.
    """
    for short, full in _SHORT.items():
        run = run.replace(short, full)
    if all(c in _DIGITS for c in run):
        return int("".join(str(_DIGITS[c]) for c in run))
    total = section = 0
    digit: int | None = None
    last = 1
    for c in run:
        if c in _DIGITS:
            digit, last = _DIGITS[c], 1 if _DIGITS[c] == 0 else last
            continue
        scale = _TENS[c]
        if scale >= 10**4:
            # 一万亿: a larger scale takes all that stands before it.
            before = section + (digit or 0)
            total = (total + before) * scale if total and total < scale else total + (before or 1) * scale
            section = 0
        else:
            section += (1 if digit is None else digit) * scale
        digit, last = None, scale
    return total + section + (digit or 0) * (last // 10 if last >= 100 else 1)


def decimals(run: str) -> str:
    """The digits behind a point: 三 → "3", 二五 → "25"."""
    return "".join(str(_DIGITS[c]) for c in run)


def mixed(run: str) -> int:
    """1万8千320 → 18320."""
    total, end = 0.0, 0
    for m in _MIXED.finditer(run):
        total += float(m[1] or 1) * _TENS[m[2]]
        end = m.end()
    return round(total + float(run[end:] or 0))


def english(words: list[str]) -> int | None:
    """The value of English number words; None when they are several numbers side by side (two three)."""
    total = current = 0
    used = False
    for word in words:
        if word in ("and", "a", "an"):
            continue
        if word in _SCALES:
            scale = _SCALES[word]
            if scale in (12, 100):
                current = (current or 1) * scale
            else:
                total, current = total + (current or 1) * scale, 0
        elif not used or current % 100 == 0 or (current % 10 == 0 and current % 100 >= 20 and _UNITS[word] < 10):
            current += _UNITS[word]
        elif 10 <= current < 100 and _UNITS[word] >= 10:  # eighteen thirty
            current = current * 100 + _UNITS[word]
        else:
            return None
        used = True
    return total + current
