"""`warroom import`: files, folders and archives into a table, with a mapping where headers are the merchant's own."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import prompts
from bot.commands import as_json, fail, print_json
from tools.errors import AskAgain, WarRoomError

if TYPE_CHECKING:
    from tools.engine import Engine
    from tools.ledger import Report
    from tools.mapping import Mapping
    from tools.shop import Shop
    from tools.sources import Member

_SHOWN = 5  # rejected rows that a dry run shows
_REASONS = 3  # of rejected rows, that are told on the screen
_MANY = 0.05  # of a file: from here on something is wrong with its form, not with some rows
_LISTED = 8  # files that were passed over


@dataclass
class _Run:
    """One command: what it was told, and the mappings it knows, the last answer first."""

    args: argparse.Namespace
    shop: Shop
    engine: Engine
    table: str
    given: Mapping | None
    answered: list[Mapping] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)

    @property
    def interactive(self) -> bool:
        return sys.stdin.isatty() and sys.stdout.isatty() and not as_json(self.args)


def import_files(args: argparse.Namespace) -> int:
    """Import every file of the paths in order, each all or nothing; stops at the first that is refused."""
    from bot.commands_publish import after_import
    from tools import ingest, mapping, sources
    from tools.engine import Engine
    from tools.shop import load_shop

    shop = load_shop(args.shop)
    table = ingest.table_key(args.table)
    if args.format not in ingest.FORMATS:
        raise AskAgain("unknown_format", name=args.format, formats=", ".join(ingest.FORMATS))
    if args.mapping is not None and args.format == "taobao-userbehavior":
        raise AskAgain("mapping_fixed")
    given = mapping.load(args.mapping, table) if args.mapping is not None else None
    mapping.kept(shop.root, table)  # a broken one is said before anything is stored
    found = [sources.expand(path) for path in args.files]
    members = [member for f in found for member in f.members]
    _say_skipped([name for f in found for name in f.skipped], args.ui_lang)
    engine = Engine(shop.data_file, read_only=False)
    failed: WarRoomError | None = None
    run = _Run(args, shop, engine, table, given)
    try:
        engine.create_tables()
        if given is not None:
            mapping.check_constants(engine, given, shop.timezone, shop.now())
        whole, done = sum(m.size for m in members) or 1, 0
        for n, member in enumerate(members, start=1):
            title = _title(member, n, len(members), args.ui_lang)
            with sources.opened(member, shop.root) as path:
                _import_one(run, member, path, title, done / whole, member.size / whole)
            done += member.size
    except WarRoomError as e:
        # The files before the one refused are imported: say so before saying what is wrong.
        failed = e
    finally:
        engine.close()
    if run.reports and not args.dry_run:
        failed = failed or after_import(shop, args)
    if as_json(args):
        return _print_documents(run.reports, failed, args)
    for report in run.reports:
        _print_report(report, args)
    if len(run.reports) > 1:
        _print_total(run.reports, args.ui_lang)
    if args.dry_run and run.reports:
        print(prompts.text("import.dry_run", args.ui_lang))
    return fail(failed, args) if failed is not None else 0


def _title(member: Member, n: int, members: int, lang: str) -> str:
    name = Path(member.name).name
    if members == 1:
        return prompts.text("cli.importing", lang, file=name)
    return prompts.text("import.file_of", lang, file=name, n=n, all=members)


def _import_one(run: _Run, member: Member, path: Path, title: str, before: float, part: float) -> None:
    """Import one file; asks for what it lacks where somebody is there to answer. The bar goes from `before` on by `part`."""
    from bot.console import progress
    from tools import ingest

    def read(by: Mapping | None) -> list[Report]:
        with progress(title) as show:
            show(before)
            return ingest.import_file(
                run.engine, run.table, path, run.args.format, run.shop.rejects_dir, run.shop.now(), lang=run.args.ui_lang,
                progress=lambda done: show(before + done * part), mapping=by, dry_run=run.args.dry_run, name=member.name,
                zone=run.shop.timezone,
            )  # fmt: skip

    by, from_shop = _known(run, path)
    if from_shop:
        where = prompts.text("import.kept_used", run.args.ui_lang, file=Path(member.name).name, path=from_shop)
        print(where, file=sys.stderr)
    try:
        reports = read(by)
    except AskAgain as e:
        if e.code != "header_missing":
            raise
        asked = _asked(run, e, member, path, by)
        reports = read(asked)
        run.reports += reports
        _offer_to_keep(run, asked, reports)
        return
    run.reports += reports
    if run.given is not None and by is run.given and not run.args.dry_run:
        _keep(run, run.given, reports)


def _known(run: _Run, path: Path) -> tuple[Mapping | None, str | None]:
    """(the mapping to read `path` by, where it is kept): the one given, else one that fits: answered before, or kept."""
    from knowledge import catalog
    from tools import mapping
    from tools.guesses import beginning

    if run.given is not None or run.args.format == "taobao-userbehavior":
        return run.given, None
    kept = mapping.kept(run.shop.root, run.table)
    if not run.answered and not kept:
        return None, None
    titles = [title for m in (*run.answered, *kept) for title in m.columns.values()]
    header, _ = beginning(run.engine, path, run.table, run.shop.timezone, titles)
    definition = catalog.tables()[run.table]
    answered = mapping.fitting(run.answered, header, definition)
    if answered is not None:
        return answered, None
    fits = mapping.fitting(kept, header, definition)
    return fits, str(mapping.kept_file(run.shop.root, run.table)) if fits else None


def _asked(run: _Run, error: AskAgain, member: Member, path: Path, by: Mapping | None) -> Mapping:
    """The mapping that answers `error`, asked for in a terminal; elsewhere the error again, with a mapping to copy."""
    from bot.mapping_dialog import Lacking, advice, ask
    from tools import mapping
    from tools.guesses import beginning

    titles = list(by.columns.values()) if by else []
    header, records = beginning(run.engine, path, run.table, run.shop.timezone, titles)
    lacking = Lacking(path.name, str(member.path), run.table, header, records, by)
    if not run.interactive:
        texts = {lang: "\n" + advice(lacking, lang) for lang in prompts.LANGS}
        raise AskAgain(error.code, **{**error.details, "mapping": texts}) from error

    def check(one: Mapping) -> None:
        mapping.check_constants(run.engine, one, run.shop.timezone, run.shop.now())
        run.engine.release()

    run.engine.release()  # whoever reads the data need not wait for the answers
    return ask(lacking, run.args.ui_lang, check)


def _offer_to_keep(run: _Run, asked: Mapping, reports: Sequence[Report]) -> None:
    """What was answered serves the other files of this command, and, if that is wanted, those of other days."""
    from bot.mapping_dialog import ask_keep

    if run.args.dry_run:
        file = f"{run.table}-mapping.yaml"
        print(prompts.text("import.dry_keep", run.args.ui_lang, file=file) + "\n\n" + asked.as_yaml())
        run.answered.insert(0, asked.model_copy(update={"headers": _headers(reports[0])}))
        return
    run.answered.insert(0, asked.model_copy(update={"headers": _headers(reports[0])}))
    run.engine.release()
    if any(r.accepted for r in reports) and ask_keep(run.args.ui_lang):
        _keep(run, asked, reports)


def _keep(run: _Run, used: Mapping, reports: Sequence[Report]) -> None:
    """Keep a mapping that worked, once: nothing is kept of one by which no row could be read."""
    from tools import mapping

    worked = next((r for r in reports if r.accepted), None)
    if worked is None:
        return
    before = mapping.kept(run.shop.root, run.table)
    wanted = used.model_copy(update={"headers": _headers(worked)})
    if before and before[0] == wanted:
        return
    path = mapping.keep(run.shop.root, wanted)
    print(prompts.text("import.kept", run.args.ui_lang, path=path), file=sys.stderr)


def _headers(report: Report) -> list[str]:
    return [*report.columns, *report.ignored]


# --- what is printed ---------------------------------------------------------------------------------------------


def _say_skipped(names: Sequence[str], lang: str) -> None:
    if not names:
        return
    listed = list(names[:_LISTED])
    if len(names) > _LISTED:
        listed.append(prompts.text("import.more", lang, n=len(names) - _LISTED))
    print(prompts.text("import.skipped", lang, files=prompts.text("join.list", lang).join(listed)), file=sys.stderr)


def _print_documents(reports: Sequence[Report], failed: WarRoomError | None, args: argparse.Namespace) -> int:
    documents = [r.as_json() for r in reports]
    if failed is not None:
        print_json({**failed.as_json(args.ui_lang), **({"imported": documents} if documents else {})})
        return failed.exit_status
    print_json(documents[0] if len(documents) == 1 else documents)
    return 0


def _print_report(r: Report, args: argparse.Namespace) -> None:
    from tools.preview import HIDDEN, PERSONAL

    lang = args.ui_lang
    separator = prompts.text("join.list", lang)

    def line(key: str, **variables: Any) -> None:
        print("  " + prompts.text(key, lang, **variables))

    name = Path(r.file).name + (f" · {r.sheet}" if r.sheet else "")
    print(prompts.text("cli.imported", lang, file=name, **_counts([r])) + _updated([r], lang))
    for column, n in r.lost.items():
        line("import.lost_paid" if column == "paid_at" else "import.lost_refund", n=f"{n:,}")
    if r.known:
        line("import.known", at=r.known)
    for table, n in r.also.items():
        line("import.also", table=table, n=f"{n:,}")
    for text in _reasons(r, lang):
        print("  " + text)
    if r.rejects_file:
        line("cli.rejects", path=r.rejects_file)
    if args.dry_run:
        for row in r.sample_rejects[:_SHOWN]:
            line("import.dry_reject", **{**row, "value": PERSONAL.sub(HIDDEN, row["value"])})
        if r.rejected > _SHOWN:
            line("import.dry_more", n=f"{r.rejected - _SHOWN:,}")
        line("import.dry_columns", columns=separator.join(f"{h} → {c}" for h, c in r.columns.items()))
        if r.constants:
            line("import.dry_constants", constants=separator.join(f"{c} = {v}" for c, v in r.constants.items()))
    if r.repaired:
        line("import.mended", columns=separator.join(f"{c} {n:,}" for c, n in r.repaired.items()))
    if r.other_sheets:
        line("import.other_sheets", sheets=separator.join(r.other_sheets))
    if r.ignored:
        line("cli.ignored", columns=separator.join(r.ignored))
    if r.span["from"]:
        line("import.dry_span" if args.dry_run else "cli.span", first=r.span["from"], last=r.span["to"])


def _print_total(reports: Sequence[Report], lang: str) -> None:
    print(prompts.text("import.total", lang, n=len(reports), **_counts(reports)) + _updated(reports, lang))


def _updated(reports: Sequence[Report], lang: str) -> str:
    n = sum(r.updated for r in reports)
    return prompts.text("import.updated", lang, n=f"{n:,}") if n else ""


def _reasons(r: Report, lang: str) -> list[str]:
    """Why rows were rejected, the commonest reasons first, and a warning where they are too many."""
    lines = []
    for why, n in list(r.reasons.items())[:_REASONS]:
        column, _, code = why.rpartition(": ")
        reason, rows = prompts.text(f"reason.{code}", lang), f"{n:,}"
        if column:
            lines.append(prompts.text("import.reason", lang, column=column, reason=reason, n=rows))
        else:
            lines.append(prompts.text("import.reason_row", lang, reason=reason, n=rows))
    others = sum(list(r.reasons.values())[_REASONS:])
    if others:
        lines.append(prompts.text("import.reasons_other", lang, n=f"{others:,}"))
    if r.rejected > _MANY * r.read:
        share = f"{r.rejected / r.read:.1%}"
        lines.append(prompts.text("import.many_rejected", lang, share=share))
    return lines


def _counts(reports: Sequence[Report]) -> dict[str, str]:
    return {
        "read": f"{sum(r.read for r in reports):,}",
        "accepted": f"{sum(r.accepted for r in reports):,}",
        "rejected": f"{sum(r.rejected for r in reports):,}",
        "duplicates": f"{sum(r.duplicates for r in reports):,}",
    }
