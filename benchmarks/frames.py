"""The panel as a data analyst would compute it from the raw tables, once with pandas, once with polars: what the
benchmarks measure the product against, beside panel.sql.

Both read `events/*.parquet` (user_id, ts, kind; many files in the order of time), `orders.parquet` and
`customers.parquet` of a folder, with the catalogue's columns and trimmed user ids. Memory stays bounded: pandas goes
file by file and keeps Arrow's types, polars streams; what is held is people and order lines, not events.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl

Panel = dict[str, dict[str, float | None]]

RATES = {
    "visit_rate": ("visitors", "crowd_size"),
    "visit_cart_rate": ("carters", "visitors"),
    "visit_deposit_rate": ("deposit_buyers", "visitors"),
    "cart_pay_rate": ("cart_buyers", "carters"),
    "deposit_balance_rate": ("balance_buyers", "deposit_buyers"),
    "visit_pay_rate": ("buyers", "visitors"),
    "conversion_rate": ("buyers", "crowd_size"),
}
AMOUNTS = {"presale_paid_amount": "balance_buyers", "cart_paid_amount": "cart_buyers", "paid_amount": "buyers"}


@dataclass(frozen=True)
class Moments:
    """The window [since, until], and `old`: who paid in [old_from, cohort), as far as it is seen at `until`."""

    since: datetime
    until: datetime
    cohort: datetime
    old_from: datetime


def panel_pandas(folder: Path, moments: Moments) -> Panel:
    """Crowd → metric → value (money in the shop's currency) with pandas; None where a metric has no value."""
    since, until = moments.since, moments.until
    seen, visitors, carts = _events_pandas(sorted((folder / "events").glob("*.parquet")), since, until)
    people = _read(folder / "customers.parquet", ["user_id", "member_joined_at", "fan_since"])
    orders = _read(folder / "orders.parquet", ["user_id", "kind", "created_at", "deposit_paid_at", "paid_at", "amount"])
    paid_at, presale = orders["paid_at"], orders["kind"] == "presale"
    paid = orders.loc[paid_at.between(since, until), ["user_id", "kind", "paid_at", "amount"]]
    carted = paid.merge(carts, on="user_id")
    carted = carted[carted["paid_at"] >= carted["first_cart"]]
    deposits = _distinct(orders.loc[presale & orders["deposit_paid_at"].between(since, until), "user_id"])
    was_old = (paid_at >= moments.old_from) & (paid_at < moments.cohort) & (paid_at <= until)
    old = _distinct(orders.loc[was_old, "user_id"])
    came = _distinct(visitors, paid["user_id"])
    crowds = {
        "all": _distinct(people["user_id"], seen, orders.loc[orders["created_at"] <= until, "user_id"]),
        "old": old,
        "new": came[~came.isin(old)],
        "member": people.loc[people["member_joined_at"] <= until, "user_id"],
        "fan": people.loc[people["fan_since"] <= until, "user_id"],
    }
    numbers = {}
    for key, crowd in crowds.items():
        lines = paid[paid["user_id"].isin(crowd)]
        balances = lines[lines["kind"] == "presale"]
        after_cart = carted[carted["user_id"].isin(crowd)]
        numbers[key] = {
            "crowd_size": len(crowd),
            "visitors": visitors.isin(crowd).sum(),
            "carters": carts["user_id"].isin(crowd).sum(),
            "deposit_buyers": deposits.isin(crowd).sum(),
            "balance_buyers": balances["user_id"].nunique(),
            "presale_paid_amount": balances["amount"].sum(min_count=1),
            "cart_buyers": after_cart["user_id"].nunique(),
            "cart_paid_amount": after_cart["amount"].sum(min_count=1),
            "buyers": lines["user_id"].nunique(),
            "paid_amount": lines["amount"].sum(min_count=1),
        }
    return _panel(numbers)


def _read(path: Path, columns: list[str], filters: list[tuple[str, str, object]] | None = None) -> pd.DataFrame:
    """The columns in Arrow's types: pandas' own text type looks people up (`isin`) one Python object after the other."""
    return pd.read_parquet(path, columns=columns, filters=filters, dtype_backend="pyarrow")


def _distinct(*columns: pd.Series[Any]) -> pd.Series[Any]:
    """Each value once. `unique` is four times as fast as `drop_duplicates`, which also keeps an index."""
    return pd.Series(pd.concat(columns).unique(), name="user_id")


def _events_pandas(
    files: list[Path], since: datetime, until: datetime
) -> tuple[pd.Series[Any], pd.Series[Any], pd.DataFrame]:
    """Everyone seen up to `until`; the window's visitors; its carters with their first cart. File by file: small hash
    tables are quick, and only people are kept. The filters are pushed down to the files' statistics."""
    seen, visitors, carts = [], [], []
    window: list[tuple[str, str, object]] = [
        ("ts", ">=", since),
        ("ts", "<=", until),
        ("kind", "in", ["visit", "cart"]),
    ]
    for file in files:
        seen.append(_distinct(_read(file, ["user_id"], [("ts", "<=", until)])["user_id"]))
        acts = _read(file, ["user_id", "ts", "kind"], window)
        visitors.append(_distinct(acts.loc[acts["kind"] == "visit", "user_id"]))
        carts.append(acts[acts["kind"] == "cart"].groupby("user_id", sort=False, as_index=False)["ts"].min())
    first_cart = pd.concat(carts).groupby("user_id", sort=False, as_index=False)["ts"].min()
    return _distinct(*seen), _distinct(*visitors), first_cart.rename(columns={"ts": "first_cart"})


def panel_polars(folder: Path, moments: Moments) -> Panel:
    """Crowd → metric → value (money in the shop's currency) with polars; None where a metric has no value."""
    people = _people_polars(folder, moments)
    old, came = pl.col("old"), pl.col("visited") | pl.col("bought")
    crowds = {"all": pl.col("known"), "old": old, "new": came & ~old, "member": pl.col("member"), "fan": pl.col("fan")}
    counts = {
        "visitors": "visited",
        "carters": "carted",
        "deposit_buyers": "deposited",
        "balance_buyers": "balanced",
        "cart_buyers": "cart_bought",
        "buyers": "bought",
    }
    measures = [
        pl.len().alias("crowd_size"),
        *(pl.col(flag).sum().alias(key) for key, flag in counts.items()),
        *(_total(pl.col(key)).alias(key) for key in AMOUNTS),
    ]
    found = pl.collect_all([people.filter(crowd).select(measures) for crowd in crowds.values()], engine="streaming")
    return _panel({key: rows.row(0, named=True) for key, rows in zip(crowds, found, strict=True)})


def _people_polars(folder: Path, moments: Moments) -> pl.LazyFrame:
    """One row a person: what they are, did and paid."""
    since, until = moments.since, moments.until
    kind, ts = pl.col("kind"), pl.col("ts")
    acts = (
        pl.scan_parquet(folder / "events" / "*.parquet")
        .filter(ts <= until)
        .select(
            "user_id",
            visited=(kind == "visit") & (ts >= since),
            first_cart=pl.when((kind == "cart") & (ts >= since)).then(ts),
        )
        .group_by("user_id")
        .agg(pl.col("visited").any(), pl.col("first_cart").min(), known=pl.lit(True))
        .collect(engine="streaming")  # used twice below: for the lines and for the people
        .lazy()
    )
    paid_at, amount, presale = pl.col("paid_at"), pl.col("amount"), kind == "presale"
    paid = paid_at.is_between(since, until)
    after_cart = paid & (paid_at >= pl.col("first_cart"))
    was_old = (paid_at >= moments.old_from) & (paid_at < moments.cohort) & (paid_at <= until)
    lines = (
        pl.scan_parquet(folder / "orders.parquet")
        .join(acts.select("user_id", "first_cart"), on="user_id", how="left")
        .group_by("user_id")
        .agg(
            ordered=(pl.col("created_at") <= until).any(),
            old=was_old.any(),
            deposited=(presale & pl.col("deposit_paid_at").is_between(since, until)).any(),
            balanced=(presale & paid).any(),
            cart_bought=after_cart.any(),
            bought=paid.any(),
            presale_paid_amount=_total(amount.filter(presale & paid)),
            cart_paid_amount=_total(amount.filter(after_cart)),
            paid_amount=_total(amount.filter(paid)),
        )
    )
    customers = pl.scan_parquet(folder / "customers.parquet").select(
        "user_id", customer=pl.lit(True), member=pl.col("member_joined_at") <= until, fan=pl.col("fan_since") <= until
    )
    return (
        customers.join(acts, on="user_id", how="full", coalesce=True)
        .join(lines, on="user_id", how="full", coalesce=True)
        .with_columns(pl.selectors.boolean().fill_null(False))
        .with_columns(
            known=pl.any_horizontal("customer", "known", "ordered"), carted=pl.col("first_cart").is_not_null()
        )
    )


def _total(amounts: pl.Expr) -> pl.Expr:
    """The sum of what is known, null where nothing is: polars' own sum says 0 there."""
    return pl.when(amounts.count() > 0).then(amounts.sum())


def _panel(numbers: Mapping[str, Mapping[str, Any]]) -> Panel:
    """Counts and amounts as plain numbers, and the quotients of them."""
    panel: Panel = {}
    for key, counted in numbers.items():
        cells: dict[str, float | None] = {m: None if pd.isna(value) else float(value) for m, value in counted.items()}
        for amount, people in AMOUNTS.items():
            if not cells[people]:  # a sum over no line is 0; over lines of unknown amount it has no value
                cells[amount] = 0.0
        panel[key] = cells | {rate: _ratio(cells[over], cells[under]) for rate, (over, under) in RATES.items()}
    shop = panel["all"]["paid_amount"]
    for cells in panel.values():
        cells["amount_share"] = _ratio(cells["paid_amount"], shop)
    return panel


def _ratio(over: float | None, under: float | None) -> float | None:
    return over / under if over is not None and under else None
