"""What a file lacks, said with a guess: as a mapping to copy, or asked in the terminal."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

import prompts
from knowledge import catalog
from tools import mapping as mappings
from tools import names
from tools.errors import AskAgain
from tools.guesses import Guess, guesses, samples
from tools.mapping import Mapping

_NO = ("n", "no", "不", "否", "不用")


@dataclass(frozen=True)
class Lacking:
    """A file that lacks columns of `table`: its header and first rows, and what a mapping gives already. `source` is how the
    command line names it."""

    file: str
    source: str
    table: str
    header: Sequence[str]
    records: Sequence[Sequence[str]]
    given: Mapping | None

    @property
    def places(self) -> dict[str, int]:
        return mappings.places(self.header, catalog.tables()[self.table], self.given)

    def missing(self) -> list[str]:
        return mappings.missing(self.header, catalog.tables()[self.table], self.given)

    def guesses(self) -> list[Guess]:
        constants = list(self.given.constants) if self.given else []
        return guesses(self.header, self.records, self.table, self.places, constants, Path(self.file).stem)

    def with_guesses(self, found: Sequence[Guess]) -> Mapping:
        """What is given, and what was guessed."""
        columns = {**(self.given.columns if self.given else {}), **{g.column: g.header for g in found if g.header}}
        constants = {**(self.given.constants if self.given else {}), **{g.column: g.value for g in found if g.value}}
        return Mapping(table=self.table, columns=columns, constants=constants)


def explained(guess: Guess, lacking: Lacking, lang: str) -> str:
    """Why `guess` is one, and what it would mean."""
    column = catalog.tables()[lacking.table].columns[guess.column]
    header = guess.header or ""
    if guess.why in ("name", "values"):
        if guess.why == "name":
            said = prompts.text("import.why_name", lang, column=guess.column, header=header, like=guess.like)
        else:
            example = dict(samples(lacking.header, lacking.records)).get(header, "")
            said = prompts.text("import.why_values", lang, column=guess.column, header=header, example=example)
        if guess.rivals:
            rivals = prompts.text("import.why_rivals", lang, headers=" | ".join(guess.rivals))
            said += prompts.text("join.semicolon", lang) + rivals
        return said
    if guess.why == "row":
        row = f"「{header}」" if lang == "zh" else catalog.tables()[lacking.table].key[0].removesuffix("_id")
        return prompts.text("import.why_row", lang, column=guess.column, header=header, row=row)
    if column.type != "choice":
        return prompts.text("import.why_none", lang, column=guess.column, headers=" | ".join(lacking.header))

    def worded(value: str) -> str:
        word = next(iter(column.values[value]), None)
        return f"{value}（{word}）" if word and lang == "zh" else value

    others = prompts.text("join.list", lang).join(worded(value) for value in column.values if value != guess.value)
    if guess.value is None:
        return prompts.text("import.why_choice", lang, column=guess.column, others=others)
    value = worded(guess.value)
    if guess.why == "file":
        return prompts.text("import.why_file", lang, column=guess.column, value=value, like=guess.like, others=others)
    return prompts.text("import.why_usual", lang, column=guess.column, value=value, others=others)


# --- a mapping to copy -------------------------------------------------------------------------------------------


def advice(lacking: Lacking, lang: str) -> str:
    """A mapping for the file, guesses included, ready to be saved, and what importing by it would do."""
    definition = catalog.tables()[lacking.table]
    found = lacking.guesses()
    unknown = [g.column for g in found if g.header is None and g.value is None]
    whole = lacking.with_guesses(found)
    reasons = {g.column: " ".join(explained(g, lacking, lang).split()) for g in found}  # headers may hold line ends
    file = f"{lacking.table}-mapping.yaml"
    lines = [
        prompts.text("import.advice", lang, file=file, table=lacking.table, source=shlex.quote(lacking.source)),
        "",
        f"table: {lacking.table}",
        *_block("columns", whole.columns, reasons, [c for c in unknown if not definition.columns[c].values]),
        *_block("constants", whole.constants, reasons, [c for c in unknown if definition.columns[c].values]),
    ]
    places = mappings.places(lacking.header, definition, whole)
    arrows = [f"{title} → {names_}" for title, names_ in mappings.used(lacking.header, places).items()]
    arrows += [f"{name} = {value}" for name, value in whole.constants.items()]
    separator = prompts.text("join.list", lang)
    lines += ["", prompts.text("import.then", lang, columns=separator.join(arrows))]
    unused = [title for i, title in enumerate(lacking.header) if i not in places.values()]
    if unused:
        lines.append(prompts.text("import.then_unused", lang, columns=separator.join(unused)))
    return "\n".join(lines)


def _block(name: str, entries: dict[str, str], reasons: dict[str, str], unknown: Sequence[str]) -> list[str]:
    """One part of a mapping file; a column that nothing is known about stands in it as a comment."""
    lines = []
    for column, value in entries.items():
        if column in reasons:
            lines.append(f"  # {reasons[column]}")
        lines.append("  " + yaml.safe_dump({column: value}, allow_unicode=True, width=10_000).strip())
    for column in unknown:
        lines += [f"  # {reasons[column]}", f"  # {column}: …"]
    return [f"{name}:", *lines] if lines else []


# --- asking in the terminal --------------------------------------------------------------------------------------


def ask(lacking: Lacking, lang: str, check: Callable[[Mapping], None]) -> Mapping:
    """Ask for every column that is missed; the mapping that the answers make.

    `check` raises AskAgain when a constant cannot be. A question that is left by Ctrl-D counts as "none", as do the rest.
    """
    from bot.console import table

    missing = prompts.text("join.list", lang).join(lacking.missing())
    print(prompts.text("import.ask_head", lang, file=lacking.file, table=lacking.table, missing=missing))
    rows = [
        [str(i), title, value] for i, (title, value) in enumerate(samples(lacking.header, lacking.records), start=1)
    ]
    table(rows[0], rows[1:])
    answered: list[Guess] = []
    try:
        for guess in lacking.guesses():
            print(explained(guess, lacking, lang))
            answered.append(_ask_one(guess, lacking, lang, check))
    except EOFError:
        print()
    return lacking.with_guesses(answered)


def _ask_one(guess: Guess, lacking: Lacking, lang: str, check: Callable[[Mapping], None]) -> Guess:
    nothing = Guess(guess.column, guess.required, "none")
    if guess.sure:
        offered = guess.header or f"={guess.value}"
        print(prompts.text("import.ask_sure", lang, guess=offered))
    else:
        print(prompts.text("import.ask_open", lang))
    while True:
        answer = input("  > ").strip()
        if answer == "-":
            return nothing
        if not answer and guess.sure:
            return guess
        if not answer:
            continue
        header = _header(answer, lacking.header)
        if header is not None:
            return Guess(guess.column, guess.required, "name", header=header)
        value = _constant(answer, guess.column, lacking.table)
        if value is None:
            print(prompts.text("import.ask_again", lang, answer=answer))
        elif not mappings.may_be_constant(lacking.table, guess.column):
            print(prompts.text("import.ask_one", lang, column=guess.column))
        else:
            try:
                check(Mapping(table=lacking.table, constants={guess.column: value}))
            except AskAgain as e:
                print(f"  {e.message(lang)} {e.hint(lang)}")
                continue
            return Guess(guess.column, guess.required, "usual", value=value)


def _header(answer: str, header: Sequence[str]) -> str | None:
    """The header that a number (from 1) or a name means; a name that looks like a number comes first."""
    named = next((title for title in header if names.fold(title) == names.fold(answer)), None)
    if named is None and answer.isdecimal() and 1 <= int(answer) <= len(header):
        return header[int(answer) - 1]
    return named


def _constant(answer: str, column: str, table: str) -> str | None:
    """What `=presale` or, where such words are expected, `presale` says."""
    if answer.startswith("="):
        return answer[1:].strip() or None
    values = catalog.tables()[table].columns[column].values
    words = {names.fold(w) for value, others in values.items() for w in (value, *others)}
    return answer if names.fold(answer) in words else None


def ask_keep(lang: str) -> bool:
    """Whether the answers are to be kept for files like this one."""
    try:
        return input(prompts.text("import.ask_keep", lang)).strip().lower() not in _NO
    except EOFError:
        print()
        return False
