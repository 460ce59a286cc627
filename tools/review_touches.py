"""What the messages of a review's days came to: by channel, and by variant where two can be told apart."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

from knowledge import catalog
from tools import metrics, splits
from tools.briefing_table import verbatim
from tools.context import Context
from tools.facts import Fact
from tools.lines import literal
from tools.measures import NO_VALUE, within
from tools.periods import Window
from tools.scope import Moments

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from tools.reader import Reader

KEYS = ("touch_sent", "touch_click_rate", "touch_conversion_rate", "touch_roi")
ENOUGH = 100  # messages from which on a rate is looked at and two variants are compared
_SURE = 0.95


@dataclass(frozen=True)
class Channel:
    """One channel's messages: `cells` by metric, and what it is called."""

    key: str
    name: str
    cells: dict[str, metrics.Cell]

    def value(self, key: str) -> float:
        return self.cells[key].value or 0


@dataclass(frozen=True)
class Variant:
    """One wording's messages and those of them whose person paid in time; `query` gives a column of its row."""

    channel: str
    name: str
    sent: int
    converted: int
    sql: str
    where: str

    @property
    def rate(self) -> float:
        return self.converted / self.sent

    def query(self, column: str) -> str:
        return f'SELECT "{column}" FROM (\n{self.sql}\n) AS variants WHERE {self.where}'

    @property
    def rate_query(self) -> str:
        return f"SELECT ({self.query('converted')}) * 1.0 / ({self.query('sent')})"


@dataclass(frozen=True)
class Comparison:
    """Two variants of one channel, the better one first; `z`: their difference in standard errors (two proportions, pooled)."""

    better: Variant
    other: Variant
    z: float
    query: str

    @property
    def told_apart(self) -> bool:
        return abs(self.z) >= NormalDist().inv_cdf((1 + _SURE) / 2)


def channels(ctx: Context, over: Window) -> list[Channel]:
    """The channels with messages in the days, from the one with most."""
    scope = metrics.scope_of(over, ctx.shop.campaigns, ctx.shop.settings)
    cells = metrics.compute(ctx.engine, KEYS, ["all"], over, scope, "channel")
    names = splits.called(ctx, "channel", (c.by for c in cells))
    found: dict[str, dict[str, metrics.Cell]] = {}
    for cell in cells:
        found.setdefault(cell.by or NO_VALUE, {})[cell.metric] = cell
    out = [Channel(key, names[key], mine) for key, mine in found.items() if mine["touch_sent"].value]
    return sorted(out, key=lambda c: -c.value("touch_sent"))


def comparisons(ctx: Context, over: Window) -> list[Comparison]:
    """For each channel its two variants with most messages, where both have enough for a comparison."""
    scope = metrics.scope_of(over, ctx.shop.campaigns, ctx.shop.settings)
    rows, sql = ctx.engine.rows(("variants",), lambda at: _variants(ctx.engine, at), scope)
    found: dict[str, list[Variant]] = {}
    for r in sorted(rows, key=lambda r: (-r["sent"], r["variant"])):
        if r["sent"] >= ENOUGH:
            where = f"channel = {_text(r['channel'])} AND variant = {_text(r['variant'])}"
            variant = Variant(r["channel"], r["variant"], r["sent"], r["converted"], sql, where)
            found.setdefault(r["channel"], []).append(variant)
    return [pair for two in found.values() if len(two) > 1 and (pair := compared(two[0], two[1])) is not None]


def _text(value: str) -> str:
    return literal(value).removeprefix("SELECT ")


def compared(a: Variant, b: Variant) -> Comparison | None:
    """The two-proportion z-test of two variants; None where nobody or everybody paid."""
    better, other = (a, b) if a.rate >= b.rate else (b, a)
    n, m = better.sent, other.sent
    pooled = (better.converted + other.converted) / (n + m)
    error = math.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
    if not error:
        return None
    x, y, p, q = better.query("converted"), other.query("converted"), better.query("sent"), other.query("sent")
    share = "((x + y) * 1.0 / (n + m))"
    query = (
        f"SELECT (x * 1.0 / n - y * 1.0 / m) / sqrt({share} * (1 - {share}) * (1.0 / n + 1.0 / m)) "
        f"FROM (SELECT ({x}) AS x, ({y}) AS y, ({p}) AS n, ({q}) AS m) AS pair"
    )
    return Comparison(better, other, (better.rate - other.rate) / error, query)


def _variants(engine: Reader, at: Moments) -> ir.Table:
    """A row a channel and variant: messages sent, and those after which their person paid within the hours that count."""
    import ibis

    t = engine.table("touches")
    t = t.filter(within(t.sent_at, at.since, at.at), t.variant.notnull())
    t = t.select(
        "touch_id", "user_id", "variant", "sent_at", channel=t.channel.fill_null(NO_VALUE),
        counts_until=ibis.least(t.sent_at + ibis.interval(hours=at.settings.attribution_hours), at.at),
    )  # fmt: skip
    o = engine.table("orders")
    paid = t.inner_join(o.filter(o.paid_at.notnull()).select("user_id", "paid_at"), "user_id")
    paid = paid.filter(paid.paid_at >= paid.sent_at, paid.paid_at <= paid.counts_until)
    bought = paid.select("touch_id").distinct().mutate(bought=1)
    t = t.left_join(bought, "touch_id").drop("touch_id_right")
    return t.group_by("channel", "variant").agg(sent=t.count(), converted=t.bought.count())


# ---- lines -------------------------------------------------------------------------------------------------------


def channel_line(ctx: Context, channel: Channel, over: Window) -> str:
    """短信 8,939 条 · 点击 6.2% · 转化 4.1% · ROI 12.30."""
    shown = {key: _fact(ctx, channel, key, over).display for key in KEYS}
    return ctx.say(
        "review.channel",
        channel=splits.fact_of_value(ctx, "channel", channel.key, channel.name),
        sent=shown["touch_sent"],
        click=shown["touch_click_rate"],
        conversion=shown["touch_conversion_rate"],
        roi=shown["touch_roi"],
    )


def _fact(ctx: Context, channel: Channel, key: str, over: Window) -> Fact:
    metric, cell = catalog.metrics()[key], channel.cells[key]
    label = ctx.say("label.metric", crowd=channel.name, metric=metric.name.get(ctx.lang), when=ctx.say("review.title"))
    return ctx.sheet.add(label, cell.value, metric.unit, cell.query, metric=key, window=over, at=over.until)


def comparison_line(ctx: Context, pair: Comparison, name: str) -> str:
    """短信：B 版 4,559 条转化 4.9%，A 版 4,380 条 4.0%，差 0.9 个百分点，不像偶然（95% 把握）."""
    said: dict[str, Any] = {"channel": name}
    for tag, variant in (("better", pair.better), ("other", pair.other)):
        said[tag] = verbatim(ctx, variant.name)
        label = ctx.say("review.label_variant", channel=name, variant=variant.name)
        sent = ctx.sheet.add(label, variant.sent, "count", variant.query("sent"))
        rate = ctx.sheet.add(label, variant.rate, "ratio", variant.rate_query)
        said |= {f"{tag}_sent": sent.display, f"{tag}_rate": rate.display}
    label = ctx.say("review.label_difference", channel=name)
    query = f"SELECT ({pair.better.rate_query}) - ({pair.other.rate_query})"
    said["points"] = ctx.sheet.add(label, pair.better.rate - pair.other.rate, "points", query).display
    ctx.sheet.add(ctx.say("review.label_z", channel=name), pair.z, "count", pair.query, shown=f"{pair.z:.2f}")
    sure = ctx.sheet.add(ctx.say("review.label_sure"), _SURE, "ratio", f"SELECT {_SURE}", shown=f"{_SURE:.0%}")
    said["sure"] = sure.display
    return ctx.say("review.variants_differ" if pair.told_apart else "review.variants_alike", **said)
