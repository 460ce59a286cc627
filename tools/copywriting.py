"""Drafts of touch messages for a crowd and a channel, from the shop's data and the request only, each passed by its own check."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from knowledge.copy_templates import FORM_OF, Angle, cheapens, copy_file
from tools import audience, phases
from tools.context import Context
from tools.copy_brief import Brief, brief_of, inside, reasons_of, stated
from tools.copy_reach import Recipients, recipients
from tools.copy_slots import PRICES, slots
from tools.copy_text import framed, sentences, shorter_and_shorter, without_emoji
from tools.errors import AskAgain
from tools.facts import Draft, Fact, Finding, ToolResult, Verdict
from tools.lines import crowd_name, data_notes, literal

if TYPE_CHECKING:
    from tools.offers import Offer

MAX_VARIANTS = 5
_REMOVED = {
    "left_out": "draft.removed_left_out",
    "paid": "draft.removed_paid",
    "owing": "draft.removed_owing",
    "opted_out": "draft.removed_opted_out",
    "no_phone": "draft.removed_no_phone",
    "not_in_service": "draft.removed_not_in_service",
    "not_in_group": "draft.removed_not_in_group",
    "touched": "draft.removed_touched",
}


@dataclass(frozen=True)
class Written:
    """One variant, or (without a verdict that lets it pass) why there is none. `shortest`: nothing more could be left out."""

    text: str
    used: frozenset[str]
    verdict: Verdict
    shortest: bool


def draft(
    ctx: Context,
    channel: str = "sms",
    crowd: str = "cart_unpaid",
    purpose: str | None = None,
    benefit: str | None = None,
    variants: int = 2,
    style: list[str] | None = None,
) -> ToolResult:
    """Drafts of a touch message in Chinese, with the number of people it would go to and who is left out and why.

    channel: sms, card_sms, ai_call, exclusive_service, group, push, live. crowd: a crowd key or expression.
    purpose: seed, presale, deposit, announce, pay, last_hours, balance_soon, balance, coupon, general, recruit, winback,
    challenge, live, care, greet; by default what fits the crowd and the phase. benefit: what the request offers, in its own
    words. variants: 1–5, each another angle. style: shorter, longer, no_emoji, no_price, other_angle; each may stand several
    times. AskAgain when a crowd, channel or purpose is unknown.
    """
    brief = brief_of(ctx, channel, crowd, purpose, benefit, style or [])
    if not 1 <= variants <= MAX_VARIANTS:
        raise AskAgain("bad_variants", n=str(variants), most=str(MAX_VARIANTS))
    name = crowd_name(ctx, audience.parse(brief.crowd))
    offer, wrong = _offer(ctx, brief)
    if wrong:
        head = ctx.say("draft.contradicted", benefit=brief.benefit or "")
        return _result(ctx, brief, head, [], [], None, lines=wrong)
    within = None if inside(brief.crowd, brief.purpose.within) else brief.purpose.within
    to = recipients(ctx, brief.crowd, reasons_of(ctx, brief), within)
    size = ctx.sheet.add(
        ctx.say("label.size", crowd=name), to.crowd.people, "people", to.crowd.query, metric="crowd_size", crowd=brief.crowd
    )  # fmt: skip
    removed = _removed(ctx, brief, to)
    send = ctx.sheet.add(ctx.say("draft.label_send"), to.send.people, "people", to.send.query, crowd=brief.crowd)
    if to.send.people == 0:
        key = "draft.nobody" if to.crowd.people == 0 else "draft.all_removed"
        said = ctx.say("join.list").join(r["text"] for r in removed)
        return _result(ctx, brief, ctx.say(key, crowd=name, people=size.display, removed=said), [], removed, send)
    brief.values = slots(ctx, brief.crowd, to, brief.benefit, bool(brief.benefit and cheapens(brief.benefit)))
    drafts, angles, blocked = _variants(ctx, brief, variants, offer)
    brief.notes += _only_requested(ctx, brief) if drafts else []
    if not drafts:
        why = [f"「{f.text}」{f.why}" for f in blocked if f.level == "block"]
        for line in why:
            ctx.sheet.text(ctx.say("draft.label_why"), line, literal(line))
        return _result(
            ctx, brief, ctx.say("draft.blocked", crowd=name), [], removed, send, lines=list(dict.fromkeys(why))
        )
    channel_name = ctx.say(f"channel.{brief.channel}")
    head = ctx.say("draft.head", crowd=name, channel=channel_name, purpose=brief.purpose.name.get(ctx.lang))
    return _result(ctx, brief, head, drafts, removed, send, angles=angles)


def _offer(ctx: Context, brief: Brief) -> tuple[Offer, list[str]]:
    """What the shop's data and the request allow to state, and what of the request the data contradicts."""
    from tools.offers import contradictions, offer_of

    offer = offer_of(ctx, brief.benefit or "")
    wrong = [c.text(ctx.lang) for c in contradictions(offer, brief.benefit)] if brief.benefit else []
    if brief.benefit:
        stated(ctx, brief.benefit)
    for line in wrong:
        ctx.sheet.text(ctx.say("draft.label_why"), line, literal(line))
    return offer, wrong


def _only_requested(ctx: Context, brief: Brief) -> list[str]:
    """What the request offers and the shop's data do not show: whoever asked must have set it up before it goes out."""
    if not brief.benefit:
        return []
    from tools import compliance
    from tools.offers import offer_of

    found = compliance.check(brief.channel, brief.benefit, lang=ctx.lang, offer=offer_of(ctx, "")).findings
    said = [f.text for f in found if f.rule.endswith("_not_in_offer")]
    return [ctx.say("draft.only_requested", said=ctx.say("join.list").join(dict.fromkeys(said)))] if said else []


# --- the variants ------------------------------------------------------------------------------------------------


def _variants(ctx: Context, brief: Brief, wanted: int, offer: Offer) -> tuple[list[Draft], list[str], list[Finding]]:
    """(drafts that may go out, the name of each one's angle, what was found in those that may not)."""
    angles: list[Angle] = getattr(brief.purpose.forms, FORM_OF[brief.channel])
    first = brief.style.count("other_angle") * wanted % (len(angles) + -len(angles) % wanted)
    drafts: list[Draft] = []
    names: list[str] = []
    blocked: list[Finding] = []
    used: set[str] = set()
    shortest = False
    for angle in angles[first:] if "other_angle" in brief.style else angles:
        if len(drafts) == wanted:
            break
        written = _write(ctx, brief, angle, offer)
        if written.verdict.verdict == "block":
            blocked += written.verdict.findings
            continue
        if any(written.text == d.text for d in drafts):
            continue
        used |= written.used
        shortest |= written.shortest
        drafts.append(_draft(ctx, brief, chr(ord("A") + len(drafts)), written))
        names.append(angle.name.get(ctx.lang))
    _slot_facts(ctx, brief, used)
    begun_again = "other_angle" in brief.style and first == 0
    if drafts and (len(drafts) < wanted or begun_again):
        brief.notes.append(ctx.say("draft.no_more_angles"))
    if shortest:
        brief.notes.append(ctx.say("draft.shortest"))
    return drafts, names, blocked


def _write(ctx: Context, brief: Brief, angle: Angle, offer: Offer) -> Written:
    """The fullest text of an angle that fits the channel and passes its check.

    A blocked text loses first the slot that the finding stands in (an item's title may itself be a claim), then sentences;
    what the request gives is never taken out on the quiet.
    """
    from tools import compliance, sms

    shop = ctx.shop
    frame = copy_file().frames[brief.channel]
    limit = frame.limit and (frame.limit if "longer" not in brief.style else 2 * sms.JOINED)
    hidden: set[str] = set(PRICES) if "no_price" in brief.style else set()
    while True:
        values = {name: s.text for name, s in brief.values.items() if name not in hidden}
        full = sentences(angle, brief.purpose, brief.channel, values)
        steps = list(shorter_and_shorter(full, values))
        kept = sum(s.keep > 1 for s in full)  # the step after which only plainer wordings are left
        texts = [
            framed(s, brief.channel, signature=shop.signature, opt_out=shop.opt_out, link=shop.link) for s in steps
        ]
        if "no_emoji" in brief.style:
            texts = [without_emoji(t) for t in texts]
        fitting = next((i for i, t in enumerate(texts) if limit is None or sms.units(t) <= limit), len(texts) - 1)
        begin = fitting + brief.style.count("shorter")
        warned: Written | None = None
        at = max(fitting, min(begin, kept))
        for step, text in list(zip(steps, texts, strict=True))[at:]:
            verdict = compliance.check(brief.channel, text, lang=ctx.lang, offer=offer)
            slots_used = frozenset(name for s in step for name in s.slots)
            last = Written(text, slots_used, verdict, begin > at)
            if verdict.verdict == "pass":
                return last
            if verdict.verdict == "warn" and warned is None:
                warned = last
        if warned is not None:
            return warned
        spans = [f.text for f in last.verdict.findings if f.level == "block"]
        at_fault = {n for n, v in values.items() if n != "benefit" and any(s in v or v in s for s in spans if s)}
        if not at_fault & last.used:
            return last
        hidden |= at_fault


def _draft(ctx: Context, brief: Brief, variant: str, written: Written) -> Draft:
    stamp = hashlib.sha256(f"{brief.channel}|{brief.crowd}|{ctx.at}|{written.text}".encode()).hexdigest()[:12]
    verdict = written.verdict
    measures(ctx, verdict)
    return Draft(
        id=f"d{stamp}",
        channel=brief.channel,
        variant=variant,
        text=written.text,
        units=verdict.units,
        segments=verdict.segments,
        verdict=verdict,
    )


def measures(ctx: Context, verdict: Verdict) -> tuple[Fact, Fact]:
    """How long a copy is: UTF-16 units (engines count characters, so those beyond the basic plane count again), messages."""
    text = literal(verdict.text).removeprefix("SELECT ")
    # The characters themselves: how a pattern names one by its number differs from engine to engine.
    beyond = f"length(regexp_replace({text}, '[^\U00010000-\U0010ffff]', '', 'g'))"
    query = f"SELECT length({text}) + {beyond}"
    n = ctx.sheet.add(ctx.say("draft.label_units"), verdict.units, "count", query)
    one = "1" if verdict.channel not in ("sms", "card_sms") else ""
    segments = f"SELECT {one or f'CASE WHEN n <= 70 THEN 1 ELSE ceil(n / 67.0) END FROM ({query} AS n) AS counted'}"
    return n, ctx.sheet.add(ctx.say("draft.label_segments"), verdict.segments, "count", segments)


def _slot_facts(ctx: Context, brief: Brief, used: set[str]) -> None:
    """The facts behind what the drafts state; a link or signature stands as the shop gave it."""
    for name in sorted(used & set(brief.values)):
        s = brief.values[name]
        ctx.sheet.add(ctx.say(s.label), s.value, s.unit, s.query, shown=s.text)
        if s.holders is not None:
            people = ctx.sheet.add(ctx.say("draft.label_holders"), s.holders.people, "people", s.holders.query)
            if name == "some_coupon":
                brief.notes.append(ctx.say("draft.some_hold", coupon=s.text, people=people.display))
    for given in (ctx.shop.signature, ctx.shop.link, ctx.shop.opt_out):
        if given and re.search(r"\d", given):
            ctx.sheet.text(ctx.say("draft.label_shop"), given, literal(given))


# --- the result --------------------------------------------------------------------------------------------------


def _removed(ctx: Context, brief: Brief, to: Recipients) -> list[dict[str, str]]:
    """Who is left out and why, largest step order as applied; reasons that fit nobody are not named."""
    gap = copy_file().touch_gap_days
    out = []
    for reason, counted in to.removed.items():
        if counted.people == 0:
            continue
        left_out = brief.purpose.left_out.get(ctx.lang) if brief.purpose.left_out else ""
        name = ctx.say(_REMOVED[reason], days=gap, left_out=left_out)
        if reason == "touched":
            ctx.sheet.add(ctx.say("draft.label_gap"), gap, "days", f"SELECT {gap}")
        fact = ctx.sheet.add(name, counted.people, "people", counted.query, crowd=brief.crowd)
        out.append(
            {"reason": reason, "fact": fact.id, "text": ctx.say("draft.removed", reason=name, n=f"{fact.value:,}")}
        )
    return out


def _result(
    ctx: Context,
    brief: Brief,
    head: str,
    drafts: list[Draft],
    removed: list[dict[str, str]],
    send: Fact | None,
    *,
    angles: list[str] | None = None,
    lines: list[str] | None = None,
) -> ToolResult:
    notes = [*(lines or []), *brief.notes]
    if drafts:
        notes += data_notes(ctx)
        if brief.channel == "group" and brief.purpose.excludes:
            notes.append(ctx.say("draft.seen_by_all"))
    here = phases.position(ctx)
    data: dict[str, Any] = {
        "crowd": brief.crowd,
        "channel": brief.channel,
        "purpose": brief.purpose_key,
        "phase": here[1].key if here else None,
        "head": head,
        "angles": angles or [],
        "send": send.display if send else None,
        "removed": removed,
        "notes": notes,
        "next": ctx.say(_NEXT[FORM_OF[brief.channel]] if drafts else "draft.next_none"),
    }
    return ToolResult(kind="draft", facts=ctx.sheet.facts, citations=ctx.sheet.citations, drafts=drafts, data=data)


_NEXT = {"short": "draft.next_short", "talk": "draft.next_talk", "many": "draft.next_many"}
