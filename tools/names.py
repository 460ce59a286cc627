"""From a word of a person to a catalogue key: key, name or alias in either language; unknown words get the nearest names."""

from __future__ import annotations

from collections.abc import Mapping

from knowledge import catalog
from knowledge.catalog import Named
from tools.errors import AskAgain


def fold(text: str) -> str:
    """How names are compared: without case, outer blanks, and with `_` and `-` as blanks."""
    return text.strip().casefold().replace("_", " ").replace("-", " ")


def words_of(key: str, entry: Named) -> list[str]:
    return [key, entry.name.zh, entry.name.en, *entry.aliases]


def resolve(word: str, entries: Mapping[str, Named], code: str) -> str:
    """The key that `word` names; AskAgain(`code`) with the three nearest names otherwise."""
    if word in entries:
        return word
    wanted = fold(word)
    for key, entry in entries.items():
        if wanted in map(fold, words_of(key, entry)):
            return key
    raise AskAgain(code, name=word, nearest=nearest(word, entries))


def nearest(word: str, entries: Mapping[str, Named], n: int = 3) -> dict[str, str]:
    """The nearest names, by language."""
    from rapidfuzz import fuzz

    wanted = fold(word)

    def closeness(key: str) -> float:
        return max(fuzz.WRatio(wanted, fold(w)) for w in words_of(key, entries[key]))

    best = sorted(entries, key=closeness, reverse=True)[:n]
    return {lang: ", ".join(f"{entries[k].name.get(lang)} ({k})" for k in best) for lang in ("zh", "en")}


def crowd_key(word: str) -> str:
    return resolve(word, catalog.crowds(), "unknown_crowd")


def metric_key(word: str) -> str:
    return resolve(word, catalog.metrics(), "unknown_metric")
