"""Every text a model reads and every fixed text a person reads, in zh and en.

`text(key, lang, **variables)` fills one template of the YAML files here; each group of keys stands in one of them, errors in
several. A missing key, language or variable is an error of
ours and raises at once (KeyError), so no half-filled sentence can reach a person.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

LANGS = ("zh", "en")


@cache
def _texts() -> dict[str, dict[str, str]]:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    flat: dict[str, dict[str, str]] = {}
    for path in sorted(Path(__file__).parent.glob("*.yaml")):
        with path.open(encoding="utf-8") as f:
            raw = yaml.load(f, Loader=loader)
        for group, entries in raw.items():
            for key, pair in entries.items():
                if f"{group}.{key}" in flat:
                    raise KeyError(f"{path.name}: {group}.{key} stands in two files")
                flat[f"{group}.{key}"] = pair
    return flat


def text(key: str, lang: str, **variables: Any) -> str:
    """The template `key` (`group.name`) in `lang` ("zh" or "en") with its variables filled in."""
    return _texts()[key][lang].format(**variables)


def templates() -> list[str]:
    """All texts as they are written here, variables and all: who quotes one of them makes nothing up."""
    return [pair[lang] for pair in _texts().values() for lang in LANGS]


def keys() -> list[str]:
    """All keys, for the tests that hold zh and en together."""
    return list(_texts())
