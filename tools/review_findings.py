"""What worked and what to change, in sentences whose numbers are facts: what moved the money, phases, channels, variants."""

from __future__ import annotations

from collections.abc import Sequence

from knowledge import catalog
from tools import splits
from tools.briefing_numbers import Cells
from tools.briefing_table import verbatim
from tools.campaigns import day_end
from tools.context import Context
from tools.facts import display
from tools.review_numbers import PhaseResult, Review, change, known
from tools.review_touches import ENOUGH, Channel, Comparison

# What the money of a shop is made of: its visitors, those of them who cart, those of them who pay, what each pays.
_DRIVERS = ("visitors", "visit_cart_rate", "cart_pay_rate", "aov")
_CLEAR = 0.02  # a driver that changed by less (of itself) has not moved


def findings(
    ctx: Context,
    r: Review,
    cells: Cells,
    before: Cells,
    results: Sequence[PhaseResult],
    channels: Sequence[Channel],
    pairs: Sequence[Comparison],
) -> list[str]:
    """At most four sentences."""
    found = (
        _drivers(ctx, cells, before),
        _phase(ctx, r, results) if len(results) > 1 else None,
        _channels(ctx, channels),
        _variants(ctx, channels, pairs),
    )
    return [sentence for sentence in found if sentence]


def _drivers(ctx: Context, cells: Cells, before: Cells) -> str | None:
    """What rose most and what fell most against the last campaign; where nothing fell, what rose least."""
    moved: list[tuple[float, str, str]] = []
    for key in _DRIVERS:
        now, then = known(cells, "all", key), known(before, "all", key)
        if now is not None and then is not None and then.value:
            moved.append((now.value / then.value - 1, key, change(ctx, now, then, key)))
    if len(moved) < 2:
        return None
    (low, weak, weak_change), *_, (high, strong, strong_change) = sorted(moved)
    if high < _CLEAR and low > -_CLEAR:
        return ctx.say("review.drivers_flat")
    said = {
        "strong": catalog.metrics()[strong].name.get(ctx.lang),
        "weak": catalog.metrics()[weak].name.get(ctx.lang),
        "strong_change": strong_change,
        "weak_change": weak_change,
    }
    if low <= -_CLEAR:
        return ctx.say("review.drivers" if high >= _CLEAR else "review.drivers_down", **said)
    return ctx.say("review.drivers_still" if low < _CLEAR else "review.drivers_up", **said)


def _phase(ctx: Context, r: Review, results: Sequence[PhaseResult]) -> str | None:
    """The phase that fell farthest short of its target; without targets the one that did worst against the last campaign."""
    judged = [p for p in results if p.ended and p.missing is not None and p.goal is not None and p.goal.value]
    if judged:
        short = max(judged, key=lambda p: p.missing.value if p.missing else 0)
        missing = short.missing
        assert missing is not None
        if missing.value <= 0:
            return ctx.say("review.phases_reached")
        value = round(missing.value) if missing.value >= 1 else missing.value
        shown = display(value, "CNY", ctx.lang, ctx.sheet.currency)
        label = ctx.say("review.label_missing", phase=short.name)
        gap = ctx.sheet.add(label, missing.value, "CNY", missing.query, shown=shown)
        over = ctx.at >= day_end(r.last)
        return ctx.say("review.phase_short" if over else "review.phase_behind", phase=short.name, gap=gap.display)
    pairs = [(p.paid.value / p.before.value, p) for p in results if p.ended and p.paid and p.before]
    if len(pairs) < 2:
        return None
    _, worst = min(pairs, key=lambda pair: pair[0])
    assert worst.paid is not None
    assert worst.before is not None
    return ctx.say("review.phase_weak", phase=worst.name, change=change(ctx, worst.paid, worst.before, "paid_amount"))


def _channels(ctx: Context, channels: Sequence[Channel]) -> str | None:
    """The channels whose messages were followed by a payment most and least often."""
    key = "touch_conversion_rate"
    judged = [c for c in channels if c.value("touch_sent") >= ENOUGH and c.cells[key].value is not None]
    if len(judged) < 2:
        return None
    best, worst = max(judged, key=lambda c: c.value(key)), min(judged, key=lambda c: c.value(key))
    if best.value(key) == worst.value(key):
        return None
    said = {}
    for tag, channel in (("best", best), ("worst", worst)):
        cell = channel.cells[key]
        label = ctx.say("review.label_channel", channel=channel.name)
        said[tag] = splits.fact_of_value(ctx, "channel", channel.key, channel.name)
        said[f"{tag}_rate"] = ctx.sheet.add(label, cell.value, "ratio", cell.query, metric=key).display
    return ctx.say("review.channels", **said)


def _variants(ctx: Context, channels: Sequence[Channel], pairs: Sequence[Comparison]) -> str | None:
    """Which wording to go on with; where none can be told apart, that as well."""
    if not pairs:
        return None
    clear = [p for p in pairs if p.told_apart]
    names = {c.key: c.name for c in channels}
    if not clear:
        return ctx.say("review.variants_none")
    use = ctx.say("join.list").join(
        ctx.say(
            "review.use", channel=names.get(p.better.channel, p.better.channel), variant=verbatim(ctx, p.better.name)
        )
        for p in clear
    )
    return ctx.say("review.variants_use", use=use)
