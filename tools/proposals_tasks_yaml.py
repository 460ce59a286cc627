"""A document's tasks as a draft of tasks.yaml: what it says, marked gaps where it says nothing, comments for the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from tools.proposals_dates import Day, Span
from tools.proposals_known import KnownCampaign, squeezed
from tools.proposals_tasks import TaskRow, TaskTable, days_by_phase, lead_days, narrowed, own_days
from tools.proposals_text import GAP, language_of, line, quoted, said, short_hash, slug
from tools.proposals_words import (
    campaigns_in,
    channels_in_cell,
    channels_in_prose,
    crowd_in_cell,
    crowd_in_prose,
    means,
    metric_in,
    scene_in,
)

_ITEM, _KEY = 2, 4  # blanks before an entry's dash and before its keys


@dataclass(frozen=True)
class _Around:
    """What a row is read against: the language of comments, the campaigns, and what the document says elsewhere."""

    lang: str
    campaign: KnownCampaign | None
    why: str
    known: Sequence[KnownCampaign]
    dated: Mapping[str, Span]
    begins: frozenset[tuple[int, int]]  # the month-days on which something in the document begins


def tasks_yaml(source: str, name: str, tables: Sequence[TaskTable], about: str, known: Sequence[KnownCampaign]) -> str:
    """The draft of all tasks of the document `source`, called `name`.

    `about`: the document's name and headings; `known`: the campaigns that its tasks may belong to.
    """
    rows = [r for t in tables for r in t.rows]
    lang = language_of([r.title for r in rows])
    campaign, why = _campaign(rows, about, known, lang)
    begins = frozenset(s.first.order for r in rows for s in own_days(r)[0] if s.first is not None)
    around = _Around(lang, campaign, why, known, days_by_phase(tables), begins)
    out = [
        line(0, "# " + said("proposal.from_tasks", lang, source=source, n=len(rows))),
        line(0, "# " + said("proposal.how_accept", lang, name=name)),
        "tasks:",
    ]
    used: dict[str, int] = {}
    for n, table in enumerate(tables, start=1):
        for row in table.rows:
            # By what the task is, not by where it stands: a row that moves keeps its id.
            key = f"{slug(source.rpartition('.')[0]) or 'own'}-{short_hash(row.title, row.phase, row.cells.get('scene', ''))}"
            used[key] = used.get(key, 0) + 1
            number = f"-{used[key]}" if used[key] > 1 else ""
            out.append(line(_ITEM, "# " + said("proposal.row", lang, table=table.path or str(n), row=row.number)))
            out.append(line(_ITEM, f"- id: {key}{number}"))
            out += [line(_KEY, text, note) for text, note in _fields(row, around)]
    return "\n".join(out) + "\n"


def _campaign(
    rows: Sequence[TaskRow], about: str, known: Sequence[KnownCampaign], lang: str
) -> tuple[KnownCampaign | None, str]:
    """The campaign of the tasks and how it is known; None when the document leaves it open."""
    names = {c.key: c.names for c in known}
    cells = " · ".join(c for r in rows for c in (*r.cells.values(), r.group))
    for text in (about, cells):
        found = campaigns_in(text, names)
        if len(found) == 1:
            one = next(c for c in known if c.key in found)
            return one, said("proposal.campaign_draft" if one.draft else "proposal.campaign_named", lang)
        if found:
            return None, ""
    spans = [s for r in rows for s in own_days(r)[0]]
    drafted = [c for c in known if c.draft and spans and all(c.holds(s) for s in spans)]
    return (drafted[0], said("proposal.campaign_draft", lang)) if len(drafted) == 1 else (None, "")


def _fields(row: TaskRow, around: _Around) -> list[tuple[str, str]]:
    """The lines of an entry below its id, each with its comment; lines that are only a comment begin with #."""
    lang = around.lang
    campaign, why = around.campaign, around.why
    if own := campaigns_in(row.cells.get("campaign", ""), {c.key: c.names for c in around.known}):
        campaign = next(c for c in around.known if c.key in own) if len(own) == 1 else None
        why = said("proposal.campaign_named", lang)
    out = [(f"title: {quoted(row.title)}", ""), (f"what: {quoted(row.cells.get('what') or row.title)}", "")]
    if campaign is not None:
        out.append((f"campaign: {quoted(campaign.key)}", why))
    else:
        spans = own_days(row)[0]
        known = ", ".join(c.key for c in sorted(around.known, key=lambda c: not all(c.holds(s) for s in spans)))
        out.append((f"campaign: {GAP}", said("proposal.campaign_gap", lang, known=known)))
    out += _when(row, replace(around, campaign=campaign))
    out += _whom(row, lang)
    for role in ("benefit", "purpose"):
        if text := row.cells.get(role):
            out.append((f"{role}: {quoted(text)}", ""))
    if lead := lead_days(row):
        out.append((f"lead_days: {lead[0]}", said("proposal.lead_from", lang, text=lead[1])))
    elif text := row.cells.get("lead"):
        out.append(("# " + said("proposal.lead_unknown", lang, text=text), ""))
    if metric := metric_in(row.cells.get("metric", "")) or metric_in(row.cells.get("purpose", "")):
        out.append((f"metric: {metric}", ""))
    elif text := row.cells.get("metric"):
        out.append(("# " + said("proposal.metric_unknown", lang, text=text), ""))
    if text := row.cells.get("scene"):
        scene = scene_in(text)
        out.append((f"scene: {scene}", "") if scene else ("# " + said("proposal.scene_unknown", lang, text=text), ""))
    for header, text in (("负责人" if lang == "zh" else "owner", row.cells.get("owner", "")), *row.others):
        if text:
            out.append(("# " + said("proposal.left_out", lang, header=header, text=text), ""))
    return out


def _whom(row: TaskRow, lang: str) -> list[tuple[str, str]]:
    """Crowd and channels."""
    out: list[tuple[str, str]] = []
    cell = row.cells.get("crowd", "")
    if crowd := crowd_in_cell(cell):
        out.append((f"crowd: {crowd}", ""))
    elif cell:
        out.append((f"crowd: {GAP}", said("proposal.crowd_unknown", lang, text=cell)))
    elif prose := crowd_in_prose(row.title) or crowd_in_prose(row.cells.get("what", "")):
        out.append((f"crowd: {prose[0]}", said("proposal.crowd_from", lang, text=prose[1])))
    else:
        out.append((f"crowd: {GAP}", said("proposal.crowd_gap", lang)))
    if cell := row.cells.get("channel", ""):
        found, unknown = channels_in_cell(cell)
        note = said("proposal.channel_unknown", lang, text="、".join(unknown)) if unknown else ""
        out.append((f"channels: [{', '.join(found)}]", note) if found else (f"channels: {GAP}", note))
    elif by := channels_in_prose(row.cells.get("what", "")):
        out.append((f"channels: [{', '.join(by)}]", said("proposal.channels_from", lang)))
    return out


# --- when --------------------------------------------------------------------------------------------------------


def _when(row: TaskRow, around: _Around) -> list[tuple[str, str]]:
    lang, campaign = around.lang, around.campaign
    days, where = own_days(row)
    if len(days) > 1:
        note = said("proposal.several_days", lang, text=where)
        return [(f"from: {GAP}", note), (f"to: {GAP}", "")]
    if len(days) == 1:
        return _dated(days[0], where, row, around)
    phase = row.phase or row.cells.get("time", "")
    if phase and means(phase, "whole") and campaign is not None:
        keys = [p.key for p in campaign.phases if p.key != "review"]
        return [(f"phases: [{', '.join(keys)}]", said("proposal.whole", lang, phase=phase))]
    if elsewhere := around.dated.get(squeezed(phase)):
        lines = _dated(elsewhere, "", row, around)
        return [(lines[0][0], said("proposal.same_phase", lang, phase=phase)), *lines[1:]]
    known = campaign.phase(phase) if campaign is not None and phase else None
    if known is not None:
        return [(f"phases: [{known.key}]", said("proposal.by_phase", lang, phase=phase))]
    note = said("proposal.when_gap", lang) + (f": {said('proposal.line', lang, text=phase)}" if phase else "")
    return [(f"from: {GAP}", note), (f"to: {GAP}", "")]


def _dated(span: Span, where: str, row: TaskRow, around: _Around) -> list[tuple[str, str]]:
    """`from` and `to` of a span, its open end taken from the phase of that name where the campaign is known."""
    lang, campaign = around.lang, around.campaign
    phase = campaign.phase(row.phase) if campaign is not None and row.phase else None
    first, last = span.first, span.last
    first_note = said("proposal.when_written", lang, text=where) if where else ""
    last_note = ""
    if first is None and last is not None:
        if last.order in around.begins:
            last, last_note = _day_before(last), said("proposal.before_next", lang)
        else:
            last_note = said("proposal.before_day", lang)
        if phase is not None and phase.first.order <= last.order:
            first, first_note = phase.first, said("proposal.from_phase", lang, phase=row.phase)
    elif last is None and first is not None and phase is not None and first.order <= phase.last.order:
        last, last_note = phase.last, said("proposal.to_phase", lang, phase=row.phase)
    if one := narrowed(row, replace(span, first=first, last=last)):
        first = last = one[0].first
        first_note = said("proposal.day_only", lang, text=one[1])
    if first and last and _backwards(first, last):
        first_note = said("proposal.backwards", lang, last=last.month_day, first=first.month_day)
        last = None
    out = [
        (f"from: {quoted(first.month_day)}" if first else f"from: {GAP}", first_note),
        (f"to: {quoted(last.month_day)}" if last else f"to: {GAP}", last_note),
    ]
    if campaign is not None and not campaign.holds(replace(span, first=first, last=last)):
        out.append(("# " + said("proposal.outside", lang, campaign=campaign.names[1]), ""))
    return out


def _backwards(first: Day, last: Day) -> bool:
    """Whether an end stands before its beginning, and not because New Year lies between."""
    if first.year and last.year:
        return (last.year, last.order) < (first.year, first.order)
    return last.order < first.order and first.month - last.month < 6


def _day_before(day: Day) -> Day:
    before = date(2023, day.month, day.day) - timedelta(days=1) if day.order != (2, 29) else date(2023, 2, 28)
    return Day(before.month, before.day)
