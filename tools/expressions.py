"""Crowd expressions: how they are read ("加购未付款且（会员或粉丝）", "cart_unpaid and not city:上海") and written.

Names are those of the catalogue, in any wording and without quotes, also where they hold blanks; what a name could be cut into
is never looked for inside it. `not` binds tightest, then `and`, then `or`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any

import prompts
from knowledge import catalog
from tools import filters, names
from tools.errors import AskAgain

# A crowd key, a filter such as "city:上海" (tools/filters.py), ("not", x), ("and", x, y) or ("or", x, y). A chain of one word
# leans left, so one meaning has one tree.
Tree = str | tuple[Any, ...]

_WORDS = {
    "and": ("and", "并且", "且", "和"),
    "or": ("or", "或者", "或"),
    "not": ("not", "不是", "排除", "非"),
}
_OPERATORS = {word: op for op, words in _WORDS.items() for word in words}
_OPERATOR = re.compile("|".join(rf"{w}(?![\w-])" if w.isascii() else w for w in _OPERATORS), re.IGNORECASE | re.ASCII)
_OPEN, _CLOSE = "(（", ")）"
_QUOTED = re.compile(r'"[^"]*"|“[^”]*”')
_FILTER = re.compile(r'([A-Za-z_]+)[:：]("(?:[^"]|"")*"|“[^”]*”|[^\s()（）"“”]+)')
# Where a name that nobody knows ends, for the error about it.
_END = re.compile(r'[()（）"“”]|\s+(?:and|or|not)\b|且|或|\s[A-Za-z_]+[:：]', re.IGNORECASE)
_MOST_TOKENS = 120
_Token = tuple[str, str]  # ("(", ")", "and", "or", "not" or "people"; a key, a filter or the sign as it was written)


def parse(expression: str) -> Tree:
    """The tree of a crowd expression with names resolved to keys.

    AskAgain when a crowd or filter is unknown (with the nearest) or the expression does not close.
    """
    tokens = _tokens(expression)
    if len(tokens) > _MOST_TOKENS:
        raise AskAgain("bad_expression", text=expression, at=tokens[_MOST_TOKENS][1])
    tree, rest = _either(tokens, expression)
    if rest:
        raise AskAgain("bad_expression", text=expression, at=rest[0][1])
    return tree


def joined(op: str, left: Tree, right: Tree) -> Tree:
    """The tree of `left op right`, leaning left."""
    if not isinstance(right, str) and right[0] == op:
        return op, joined(op, left, right[1]), right[2]
    return op, left, right


def _either(tokens: list[_Token], text: str) -> tuple[Tree, list[_Token]]:
    left, rest = _both(tokens, text)
    while rest and rest[0][0] == "or":
        right, rest = _both(rest[1:], text)
        left = joined("or", left, right)
    return left, rest


def _both(tokens: list[_Token], text: str) -> tuple[Tree, list[_Token]]:
    left, rest = _one(tokens, text)
    while rest and rest[0][0] in ("and", "not"):  # 会员非老客: whoever is a member and is not old
        right, rest = _one(rest[1:] if rest[0][0] == "and" else rest, text)
        left = joined("and", left, right)
    return left, rest


def _one(tokens: list[_Token], text: str) -> tuple[Tree, list[_Token]]:
    if not tokens:
        raise AskAgain("bad_expression", text=text, at="…")
    (kind, shown), rest = tokens[0], tokens[1:]
    if kind == "not":
        inner, rest = _one(rest, text)
        return ("not", inner), rest
    if kind == "(":
        inner, rest = _either(rest, text)
        if not rest or rest[0][0] != ")":
            raise AskAgain("bad_expression", text=text, at="(")
        return inner, rest[1:]
    if kind != "people":
        raise AskAgain("bad_expression", text=text, at=shown)
    return shown, rest


# --- from text to tokens -----------------------------------------------------------------------------------------


def _tokens(text: str) -> list[_Token]:
    out: list[_Token] = []
    i = 0
    while i < len(text):
        if text[i].isspace():
            i += 1
        elif text[i] in _OPEN + _CLOSE:
            out.append(("(" if text[i] in _OPEN else ")", text[i]))
            i += 1
        elif found := _FILTER.match(text, i):
            out.append(("people", filters.normal(found[1], filters.unquoted(found[2]))))
            i = found.end()
        elif quoted := _QUOTED.match(text, i):
            out.append(("people", names.crowd_key(quoted[0][1:-1])))
            i = quoted.end()
        else:
            token, i = _word(text, i)
            out.append(token)
    return out


def _word(text: str, i: int) -> tuple[_Token, int]:
    """The crowd's name or the operator that stands at `i`, and where it ends. AskAgain when it is neither."""
    known, longest = _names()
    for end in range(min(len(text), i + longest), i, -1):
        piece = text[i:end]
        if piece == piece.strip() and (key := known.get(names.fold(piece))) and _may_end(text, end):
            return ("people", key), end
    if operator := _OPERATOR.match(text, i):
        return (_OPERATORS[operator[0].lower()], operator[0]), operator.end()
    stop = _END.search(text, i + 1)
    word = text[i : stop.start() if stop else len(text)].strip()
    if ":" in word or "：" in word:
        raise AskAgain("unknown_filter", name=word, nearest=filters.nearest(word))
    return ("people", names.crowd_key(word)), i + len(word)


@cache
def _names() -> tuple[dict[str, str], int]:
    """Folded name → key of every crowd, and the length of the longest."""
    known = {names.fold(w): key for key, entry in catalog.crowds().items() for w in names.words_of(key, entry)}
    return known, max(map(len, known))


def _may_end(text: str, end: int) -> bool:
    """Whether a name may end there: a bracket, an operator or nothing follows, and no word is cut in two."""
    after = text[end:].lstrip()
    if not after or after[0] in _OPEN + _CLOSE + '"“' or (after != text[end:] and _FILTER.match(after)):
        return True
    operator = _OPERATOR.match(after)
    return operator is not None and not (after == text[end:] and operator[0].isascii() and text[end - 1].isascii())


# --- from tree to text -------------------------------------------------------------------------------------------


def canonical(tree: Tree) -> str:
    """The tree as an expression of keys; the same for every way of writing it."""
    if isinstance(tree, str):
        return tree
    if tree[0] == "not":
        inner = canonical(tree[1])
        return f"not {inner}" if isinstance(tree[1], str) else f"not ({inner})"
    parts = [canonical(t) if isinstance(t, str) or t[0] in ("not", tree[0]) else f"({canonical(t)})" for t in tree[1:]]
    return f" {tree[0]} ".join(parts)


def is_filter(tree: Tree) -> bool:
    return isinstance(tree, str) and ":" in tree


def label(tree: Tree, lang: str) -> str:
    """A name that a person reads: 加购未付款且会员, 上海会员, 近 30 天来过的（会员或粉丝）."""
    if isinstance(tree, str):
        if not is_filter(tree):
            return catalog.crowds()[tree].name.get(lang)
        said = filters.label(tree, lang)
        return said if filters.is_name(tree) else prompts.text("filter.alone", lang, filter=said)
    if tree[0] == "not":
        return prompts.text("filter.without", lang, crowd=_inner(tree[1], "not", lang))
    if tree[0] == "and" and is_filter(tree[2]):
        # 上海会员: a filter reads as an attribute of the people.
        people = _people(tree[1], lang)
        return prompts.text("filter.narrowed", lang, filter=filters.label(tree[2], lang), crowd=people)
    joint = prompts.text("filter.and" if tree[0] == "and" else "filter.or", lang)
    return joint.join(_inner(t, tree[0], lang) for t in tree[1:])


def _people(tree: Tree, lang: str) -> str:
    """The label of people whom a filter narrows: 上海 alone would not say that people are meant."""
    if is_filter(tree) and filters.is_name(str(tree)):
        return prompts.text("filter.customers", lang, filter=label(tree, lang))
    return _inner(tree, "and", lang)


def _inner(tree: Tree, op: str, lang: str) -> str:
    """The label of a part, in brackets where it would otherwise be read together with what stands beside it."""
    said = label(tree, lang)
    loose = not isinstance(tree, str) and tree[0] not in ("not", op)
    return prompts.text("filter.group", lang, crowd=said) if loose else said


# --- looking into a tree -----------------------------------------------------------------------------------------


def mentions(tree: Tree, test: Callable[[str], bool]) -> bool:
    """Whether `test` holds for some crowd or filter of the expression that is not left out by a `not`."""
    if isinstance(tree, str):
        return test(tree)
    return tree[0] != "not" and any(mentions(t, test) for t in tree[1:])


def changed(tree: Tree, change: Callable[[str], str]) -> Tree:
    """The tree with each filter as `change` gives it."""
    if isinstance(tree, str):
        return change(tree) if is_filter(tree) else tree
    return (tree[0], *(changed(t, change) for t in tree[1:]))


def crowds_in(tree: Tree) -> list[str]:
    """The crowds that the expression names, each once, in order."""
    return [leaf for leaf in _leaves(tree) if not is_filter(leaf)]


def filters_in(tree: Tree) -> list[str]:
    """The filters of the expression, each once, in order."""
    return [leaf for leaf in _leaves(tree) if is_filter(leaf)]


def _leaves(tree: Tree) -> list[str]:
    if isinstance(tree, str):
        return [tree]
    return list(dict.fromkeys(leaf for t in tree[1:] for leaf in _leaves(t)))
