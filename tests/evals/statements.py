"""The raw sources as a shop's own documents: whether what they state is found, word for word, and nothing around it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from knowledge.passages import Passage
from knowledge.textnorm import simplified

FILE = Path(__file__).parent / "statements.yaml"


@dataclass(frozen=True)
class Statement:
    """`marks` stand in the passage that says it (or in the headings it stands under), in simplified characters."""

    id: str
    seed: str
    ask: str
    marks: tuple[str, ...]

    def said_in(self, p: Passage) -> bool:
        text = simplified(f"{p.section.zh}\n{p.text}")
        return p.source.zh.startswith(self.seed) and all(simplified(mark) in text for mark in self.marks)


@cache
def statements() -> tuple[Statement, ...]:
    out = []
    for raw in yaml.safe_load(FILE.read_text(encoding="utf-8"))["statements"]:
        marks = raw["mark"] if isinstance(raw["mark"], list) else [raw["mark"]]
        out.append(Statement(raw["id"], str(raw["seed"]), raw["ask"], tuple(map(str, marks))))
    return tuple(out)


@cache
def noise() -> tuple[str, ...]:
    return tuple(yaml.safe_load(FILE.read_text(encoding="utf-8"))["noise"])
