"""The playbook index at several sizes: how fast it is built, how fast `Searcher.search` answers, what memory that takes.

Each size is a shop with documents of its own, in a process of its own: python -m benchmarks.knowledge FOLDER SIZE. The
passages are made of the catalogue's and playbooks' words, about 200 characters each, the same every time.
"""

from __future__ import annotations

import random
import re
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.timing import say, timed
from knowledge.embeddings import embed
from knowledge.passages import passages
from knowledge.search import Searcher

_A_FILE = 1000  # sections
_WORDS = 45
_QUESTIONS = 200
_SAID_EVERY = 10.0  # s


def bench(folder: Path, sizes: list[int]) -> None:
    """All figures of each size."""
    for size in sizes:
        command = [sys.executable, "-m", "benchmarks.knowledge", str(folder / f"knowledge{size}"), str(size)]
        subprocess.run([*command, "build"], check=True)
        subprocess.run([*command, "search"], check=True)


def build(folder: Path, size: int) -> None:
    """Passages/s from documents in a folder to an index that answers, against embedding the same texts alone."""
    words = vocabulary()
    write(folder / "documents", size, words)
    search = Searcher(folder / "index", documents=folder / "documents")
    count = len(search.all)
    sample = random.Random(1).sample(search.all, 500)
    embed([sample[0].indexed()])
    bare = len(sample) / timed(lambda: embed([p.indexed() for p in sample]))
    seconds = timed(lambda: search.build(progress))
    say(f"knowledge, {count:,} passages: index built, passages/s", f"{count / seconds:,.0f}")
    say("… against embedding alone", f"{count / seconds / bare:.2f} ×", f"({bare:,.0f}/s)")
    (folder / "documents" / "one-more.md").write_text(section(random.Random(2), words, 0), encoding="utf-8")
    seconds = timed(lambda: search.build(progress))
    say("… one document more, s until it is found", f"{seconds:.1f}", "aim < 60")
    say("… memory while building, MB", f"{_peak():,.0f}")


def search(folder: Path, size: int) -> None:
    """`Searcher.search` in a process that finds the index ready: the first question, then questions never asked before."""
    words = vocabulary()
    rng = random.Random(3)
    questions = ["".join(rng.sample(words, rng.randint(2, 4))) + "怎么办" for _ in range(_QUESTIONS)]
    searcher = Searcher(folder / "index", documents=folder / "documents")
    first = timed(lambda: searcher.search(questions[0]))
    times = sorted(timed(lambda q=q: searcher.search(q)) * 1000 for q in questions[1:])  # type: ignore[misc]
    alone = statistics.median(timed(lambda q=q: embed([q])) * 1000 for q in questions)  # type: ignore[misc]
    p50, p95 = statistics.median(times), times[int(len(times) * 0.95)]
    aim = "aim p95 ≤ 30" if size == 10_000 else ""
    say(f"knowledge, {len(searcher.all):,} passages: search p50 / p95 ms", f"{p50:.1f} / {p95:.1f}", aim)
    say("… p50 against embedding the question alone", f"{p50 / alone:.1f} ×", f"({alone:.1f} ms)")
    say("… first question of a process, s", f"{first:.1f}")
    say("… memory, MB", f"{_peak():,.0f}")


def vocabulary() -> list[str]:
    return sorted({w for p in passages() for w in re.findall(r"[\u4e00-\u9fff]{2,6}", p.indexed())})


def write(folder: Path, size: int, words: list[str]) -> None:
    """`size` sections in Markdown files."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = random.Random(0)
    for start in range(0, size, _A_FILE):
        sections = (section(rng, words, n) for n in range(start, min(start + _A_FILE, size)))
        (folder / f"playbook-{start // _A_FILE}.md").write_text("\n".join(sections), encoding="utf-8")


def section(rng: random.Random, words: list[str], n: int) -> str:
    said = rng.choices(words, k=_WORDS)
    return f"## {said[0]}{n}\n" + "。".join("，".join(said[i : i + 6]) for i in range(0, _WORDS, 6)) + "。\n"


_said = time.monotonic()


def progress(done: int, total: int) -> None:
    """A line now and then: a hundred thousand passages take ten minutes."""
    global _said
    if time.monotonic() - _said >= _SAID_EVERY:
        _said = time.monotonic()
        print(f"  {done:,} of {total:,} passages", file=sys.stderr, flush=True)


def _peak() -> float:
    """The most memory this process had, MB (Linux counts in KB)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    {"build": build, "search": search}[sys.argv[3]](Path(sys.argv[1]), int(sys.argv[2]))
