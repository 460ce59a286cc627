"""How well questions are understood and answered, end to end on the demo shop, with whatever model the environment names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict

from bot.answer import Answer, Interpretation
from bot.conversation import Question, answer
from bot.wiring import WarRoom
from tools.facts import Fact

HERE = Path(__file__).parent
SLOTS = ("crowds", "metrics", "period", "compare", "by", "filters", "channel")
_CLOSE = 1e-9


class Row(BaseModel):
    """A question with what it asks for (see the head of questions.yaml)."""

    model_config = ConfigDict(extra="forbid")

    id: str
    question: str
    lang: Literal["zh", "en", "mixed"]
    as_of: datetime | None = None
    session: str | None = None
    intent: list[str] = []
    crowds: list[list[str]] | None = None
    metrics: list[list[str]] | None = None
    period: list[list[str]] | None = None
    compare: list[str | None] | None = None
    by: list[str | None] | None = None
    filters: list[list[str]] | None = None
    channel: list[str | None] | None = None
    clarify: bool = False
    numbers: list[dict[str, str]] = []
    must: list[str] = []
    must_not: list[str] = []
    skip: Any = None
    note: str | None = None


@cache
def rows(name: str) -> tuple[Row, ...]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return tuple(Row.model_validate(r) for r in yaml.load((HERE / f"{name}.yaml").read_text("utf-8"), Loader=loader))


def misses(row: Row, what: Interpretation, *, asked_back: bool) -> list[str]:
    """What was understood otherwise than the row says; `intent` first."""
    if row.clarify:
        return [] if asked_back else [f"clarify: answered as {what.intent}"]
    out = []
    if asked_back and "clarify" not in row.intent:
        return ["intent: asked back"]
    if row.intent and what.intent not in row.intent:
        out.append(f"intent: {what.intent} instead of {row.intent}")
    got = understood(what)
    for slot in SLOTS:
        wanted = getattr(row, slot)
        if wanted is not None and got[slot] not in [_normal(slot, w) for w in wanted]:
            out.append(f"{slot}: {got[slot]} instead of {wanted}")
    return out


def understood(what: Interpretation) -> dict[str, Any]:
    """The slots of an interpretation in the form in which two that say the same are equal."""
    period = [what.period["from"], what.period["to"]] if what.period else None
    said = {**what.model_dump(include=set(SLOTS)), "period": period}
    return {slot: _normal(slot, said[slot]) for slot in SLOTS}


def _normal(slot: str, value: Any) -> Any:
    if slot == "crowds":
        return sorted(" and ".join(sorted(e.split(" and "))) for e in value if e != "all")
    if slot == "metrics":
        return sorted(value)
    if slot == "filters":
        return sorted(f.replace('"', "") for f in value)
    if slot == "compare" and str(value).startswith("campaign"):
        return "campaign"
    return value


@dataclass(frozen=True)
class Judged:
    """What became of one question. `numbers`: (expected value, whether the answer states it)."""

    row: Row
    answer: Answer
    misses: list[str]
    numbers: list[tuple[float, bool]]
    words: list[str]

    @property
    def intent(self) -> bool:
        return not any(m.startswith(("intent", "clarify")) for m in self.misses)


def judge(
    room: WarRoom, chosen: Sequence[Row], told: Callable[[int, int], None] = lambda done, of: None
) -> list[Judged]:
    """Every question asked in its order, in its session, and judged."""
    out = []
    for done, row in enumerate(chosen):
        told(done, len(chosen))
        session = f"eval:{row.session}" if row.session else None
        found = answer(room, Question(row.question, as_of=row.as_of, session=session))
        if row.skip:
            continue
        numbers = [float(room.engine.query(f"SELECT ({n['sql']}) AS value")[0]["value"]) for n in row.numbers]
        stated = [(value, states(found, value)) for value in numbers]
        words = [f"none of {row.must}"] if row.must and not any(w in found.text for w in row.must) else []
        words += [f"says {w}" for w in row.must_not if w in found.text]
        wrong = misses(row, found.interpretation, asked_back=found.clarify is not None)
        out.append(Judged(row, found, wrong, stated, words))
    return out


def states(found: Answer, value: float) -> bool:
    """Whether the answer states a value: a fact has it, and the text shows that fact."""
    return any(_equal(f, value) and f.display in found.text for f in found.facts)


def _equal(fact: Fact, value: float) -> bool:
    if not isinstance(fact.value, int | float):
        return False
    return abs(abs(fact.value) - abs(value)) <= max(_CLOSE, abs(value) * _CLOSE)


def report(judged: Sequence[Judged], *, listing: bool) -> dict[str, float]:
    """Print accuracy per intent and slot, and what went wrong; the shares."""
    counted = [j for j in judged if j.row.intent or j.row.clarify]
    asked = [j for j in counted if not j.row.clarify]
    back = [j for j in counted if j.row.clarify]
    right = [j for j in counted if not j.misses]
    stated = [ok for j in judged if not j.misses for _, ok in j.numbers]
    shares = {
        "intent": _share([j.intent for j in counted]),
        "all slots": _share([not j.misses for j in counted]),
        "numbers of those understood": _share(stated),
        "asked back where it must": _share([not j.misses for j in back]),
        "words that must (not) stand there": _share([not j.words for j in judged if j.row.must or j.row.must_not]),
    }
    print(f"  {len(counted)} questions, {len(right)} fully understood, {len(stated)} numbers checked")
    for name, share in shares.items():
        print(f"  {name:36}{share:.3f}")
    languages = {k: [not j.misses for j in counted if j.row.lang == k] for k in ("zh", "en", "mixed")}
    print("  by language   " + "  ".join(f"{k} {_share(v):.3f} of {len(v)}" for k, v in languages.items()))
    intents = Counter(j.row.intent[0] for j in asked)
    by_intent = {k: [j.intent for j in asked if j.row.intent[0] == k] for k in intents}
    print("  by intent     " + "  ".join(f"{k} {_share(v):.2f}/{len(v)}" for k, v in by_intent.items()))
    wrong_slots = Counter(m.partition(":")[0] for j in asked for m in j.misses)
    named = {s: sum(getattr(j.row, s) is not None for j in asked) for s in SLOTS}
    print("  by slot       " + "  ".join(f"{s} {1 - wrong_slots[s] / n:.3f}/{n}" for s, n in named.items() if n))
    if listing:
        for j in judged:
            said = [
                *j.misses,
                *j.words,
                *(f"number {v:g} is not stated" for v, ok in j.numbers if not ok and not j.misses),
            ]
            if said:
                print(f"    {j.row.id} {j.row.question}  ← {'; '.join(said)}")
    return shares


def _share(found: Sequence[bool]) -> float:
    return sum(found) / len(found) if found else 1.0
