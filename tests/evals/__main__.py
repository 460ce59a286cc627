"""`make eval [ARGUMENTS]`: how well questions are understood and answered, and how well search finds.

questions, search: that part alone. -v lists what went wrong. --fit trains knowledge/ranking.py anew, --fit-intents
bot/understanding/intents.json. With WARROOM_MODEL set, the questions are put to that model.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np

from bot.console import progress
from bot.wiring import WarRoom
from knowledge import ranking
from knowledge.embeddings import embed
from knowledge.search import Searcher
from knowledge.textnorm import simplified
from tests.evals.fit import abstention, fit
from tests.evals.fit_intents import fit as fit_intents
from tests.evals.questions import judge, report, rows
from tests.evals.retrieval import Bench, Item, first_right, items, named_questions
from tools import workspace

TUNED = ("retrieval",)
HELD_OUT = ("retrieval_held_out",)


def main(arguments: list[str]) -> None:
    parts = [a for a in arguments if not a.startswith("-")] or ["questions", "search"]
    with tempfile.TemporaryDirectory() as folder:
        if "--fit-intents" in arguments or "questions" in parts:
            root = Path(folder) / "shop"
            workspace.create(root, name="", campaigns=(), demo=True)
            with WarRoom(root) as room:
                if "--fit-intents" in arguments:
                    print(fit_intents(room))
                    return
                _questions(room, listing="-v" in arguments)
    if "search" not in parts:
        return
    bench = Bench(embed)
    if "--fit" in arguments:
        print(fit(bench, [*items(*TUNED), *named_questions(bench.all, every=7)]))
        return
    _show_names()
    for title, chosen in (("tuned on", items(*TUNED)), ("held out", items(*HELD_OUT))):
        _show(bench, title, chosen, listing="-v" in arguments)


def _questions(room: WarRoom, *, listing: bool) -> None:
    for title, name in (("visible, mended on", "questions"), ("held out", "questions_held_out")):
        print(f"questions, {title}; answered by {room.model.endpoints[0].name if room.model else 'the embedded model'}")
        with progress(name) as show:
            judged = judge(room, rows(name), lambda done, of: show(done / of))
        report(judged, listing=listing)
        print()


def _show_names() -> None:
    """Every strategy, metric, crowd and rule asked for by each of its names."""
    with tempfile.TemporaryDirectory() as folder:
        search = Searcher(Path(folder))
        entries = [p for p in search.all if p.kind != "playbook"]
        names = sorted({(simplified(n).casefold(), n) for p in entries for n in p.names})
        carrying: dict[str, set[str]] = {}
        for p in entries:
            for n in p.names:
                carrying.setdefault(simplified(n).casefold(), set()).add(p.key)
        first = [search.search(name, 1) for _, name in names]
    right = sum(bool(h) and h[0].passage.key in carrying[plain] for h, (plain, _) in zip(first, names, strict=True))
    print(f"names, aliases and English names of {len(entries)} entries: {right} of {len(names)} found first\n")


def _show(bench: Bench, title: str, chosen: tuple[Item, ...], *, listing: bool) -> None:
    answerable = np.array([bool(i.expect) for i in chosen])
    print(f"{title}: {answerable.sum()} questions that something answers, {(~answerable).sum()} that nothing answers")
    print(f"{'':14}recall@1 recall@3 recall@5   MRR   abstention F1")
    ranked = {i.id: bench.read(i).ranked for i in chosen}
    ways = {
        "search": {i.id: [(r.passage.key, r.score) for r in ranked[i.id]] for i in chosen},
        "embeddings": {i.id: bench.by_meaning(i) for i in chosen},
        "words": {i.id: bench.by_words(i) for i in chosen},
    }
    for way, found in ways.items():
        at = {i.id: first_right(bench, [key for key, _ in found[i.id]], i.expect) for i in chosen if i.expect}
        places = np.array(list(at.values()))
        if way == "search":
            sure = np.array([ranked[i.id][0].probability if ranked[i.id] else 0.0 for i in chosen])
            f1 = abstention(sure < ranking.LEAST, answerable)
        else:  # a single method has its own best threshold, chosen with the answers known: the most it could reach
            tops = np.array([found[i.id][0][1] if found[i.id] else 0.0 for i in chosen])
            f1 = max(abstention(tops < least, answerable) for least in np.unique(tops))
        shares = "   ".join(f"{np.mean(places < k):.3f}" for k in (1, 3, 5))
        print(f"  {way:12}{shares}    {np.mean(1 / (places + 1)):.3f}   {f1:.3f}")
        if listing and way == "search":
            _list(chosen, at, sure, {i.id: [bench.stands_for(key) for key, _ in found[i.id][:3]] for i in chosen})
    print()


def _list(chosen: tuple[Item, ...], at: dict[str, int], sure: np.ndarray, got: dict[str, list[str]]) -> None:
    for item, probability in zip(chosen, sure, strict=True):
        wrong = "answered" if not item.expect and probability >= ranking.LEAST else ""
        wrong = "abstained" if item.expect and probability < ranking.LEAST else wrong
        if wrong or at.get(item.id, 0) > 0:
            place = at.get(item.id, -1) + 1
            print(f"    {item.id} {item.ask}  [{place or '-'}] {probability:.2f} {wrong}")
            print(f"        want {sorted(item.expect)} got {got[item.id]}")


if __name__ == "__main__":
    main(sys.argv[1:])
