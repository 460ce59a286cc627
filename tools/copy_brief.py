"""What is to be written: the request held against the calendar, the rules on un-paid people and the channel's reach."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from knowledge.catalog import Channel
from knowledge.copy_templates import FORM_OF, Moment, Purpose, Reason, cheapens, copy_file, in_chinese, purpose_for
from tools import audience, phases, wording
from tools.context import Context
from tools.copy_slots import Slot, balance_over, moments_of
from tools.errors import AskAgain
from tools.lines import literal
from tools.names import fold

MAX_BENEFIT = 40
STYLES = ("shorter", "longer", "no_emoji", "no_price", "other_angle")


@dataclass
class Brief:
    """What is to be written, after the request has been held against the calendar and the data."""

    channel: Channel
    crowd: str
    purpose_key: str
    purpose: Purpose
    benefit: str | None
    style: list[str]
    values: dict[str, Slot] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def channel_key(word: str) -> Channel:
    """The channel that `word` names, by key or by name; AskAgain with all of them otherwise."""
    import prompts

    for key in FORM_OF:
        if fold(word) in {fold(w) for w in (key, *(prompts.text(f"channel.{key}", lang) for lang in prompts.LANGS))}:
            return key
    raise AskAgain("unknown_channel", name=word, nearest=", ".join(FORM_OF))


def brief_of(
    ctx: Context, channel: str, crowd: str, purpose: str | None, benefit: str | None, style: list[str]
) -> Brief:
    """The request as it can be met now; what had to be changed or left out of it is in `notes`. AskAgain when it is unclear."""
    unknown = next((s for s in style if s not in STYLES), None)
    if unknown is not None:
        raise AskAgain("unknown_style", name=unknown, nearest=", ".join(STYLES))
    tree = audience.read(ctx.engine, crowd)
    moments = moments_of(ctx)
    fitting = _fitting(tree, moments)
    wanted = _purpose_key(purpose) if purpose else fitting
    known = copy_file().purposes
    brief = Brief(channel_key(channel), audience.canonical(tree), wanted, known[wanted], None, style)
    over = balance_over(ctx.campaign, ctx.at) if ctx.campaign and inside(brief.crowd, "balance_due") else None
    if "owing" in brief.purpose.excludes and inside(brief.crowd, "balance_due"):
        brief.purpose_key, brief.purpose = fitting, known[fitting]
        names = {"asked": known[wanted].name.get(ctx.lang), "purpose": brief.purpose.name.get(ctx.lang)}
        brief.notes.append(ctx.say("draft.owing_only", **names))
    elif not set(moments) & set(brief.purpose.moments):
        brief.purpose_key, brief.purpose = fitting, known[fitting]
        if over is None:
            here = phases.position(ctx)
            phase = here[1].name.get(ctx.lang) if here else ctx.say("draft.outside")
            names = {"asked": known[wanted].name.get(ctx.lang), "purpose": brief.purpose.name.get(ctx.lang)}
            brief.notes.append(ctx.say("draft.not_now", phase=phase, **names))
    if over is not None:
        day = ctx.sheet.text(ctx.say("draft.label_time"), wording.day(over, ctx.lang), f"SELECT DATE '{over}'").display
        brief.notes.append(ctx.say("draft.balance_over", day=day, purpose=brief.purpose.name.get(ctx.lang)))
    said = re.sub(r"\s+", " ", benefit or "").strip(" ，。,.;；!！")
    if len(said) > MAX_BENEFIT:
        raise AskAgain("benefit_too_long", most=str(MAX_BENEFIT))
    if said and cheapens(said) and not brief.purpose.discount:
        brief.notes.append(
            ctx.say("draft.no_discount", purpose=brief.purpose.name.get(ctx.lang), benefit=stated(ctx, said))
        )
        said = ""
    brief.benefit = in_chinese(said) if said else None
    if brief.purpose_key == "last_hours" and brief.benefit is None:
        brief.notes.append(ctx.say("draft.no_raise"))
    return brief


def reasons_of(ctx: Context, brief: Brief) -> list[Reason]:
    """Why somebody of the crowd would not get it. What everybody in a group sees takes nobody out; whoever owes a balance gets
    the balance reminder alone, as long as it can be paid."""
    drops = copy_file().frames[brief.channel].drops
    if FORM_OF[brief.channel] == "many":
        return list(drops)
    campaign = ctx.campaign
    payable = campaign is not None and campaign.balance_windows and balance_over(campaign, ctx.at) is None
    return [*(r for r in brief.purpose.excludes if r != "owing" or payable), *drops]


def _fitting(tree: audience.Tree, moments: list[Moment]) -> str:
    """The purpose that fits everybody of an expression: of several alternatives (or), one that fits them all."""
    if not isinstance(tree, str) and tree[0] == "or":
        fitting = {_fitting(part, moments) for part in tree[1:]}
        return fitting.pop() if len(fitting) == 1 else purpose_for([], moments)
    return purpose_for(_named(tree), moments)


def stated(ctx: Context, benefit: str) -> str:
    """The benefit as the request gives it, as a fact of its own."""
    return ctx.sheet.text(ctx.say("draft.label_benefit"), benefit, literal(benefit)).display


def _purpose_key(word: str) -> str:
    for key, p in copy_file().purposes.items():
        if fold(word) in {fold(w) for w in (key, p.name.zh, p.name.en, *p.aliases)}:
            return key
    raise AskAgain("unknown_purpose", name=word, nearest=", ".join(copy_file().purposes))


def _named(tree: audience.Tree) -> list[str]:
    """The crowds of an expression that everybody of it is in, as named."""
    if isinstance(tree, str):
        return [] if ":" in tree else [tree]
    return [key for part in tree[1:] for key in _named(part)] if tree[0] == "and" else []


def inside(crowd: str, within: str | None) -> bool:
    """Whether everybody of the crowd can be meant by the purpose: the crowd is, or is cut down to, the one within."""
    if within is None:
        return True
    tree = audience.parse(crowd)
    while not isinstance(tree, str) and tree[0] == "and":
        if audience.canonical(tree[2]) == within:
            return True
        tree = tree[1]
    return audience.canonical(tree) == within
