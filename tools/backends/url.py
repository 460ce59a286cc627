"""`engine:` of shop.yaml: duckdb, or the URL of an engine that the merchant runs.

    postgresql://user@host:port/db?schema=promo     further parameters are libpq's (sslmode=require)
    pyspark://local[2]?lake=lake                    MASTER: local[N], local-cluster[N,cores,MB], host:7077, yarn, k8s://…
    pyspark://host:7077?lake=/mnt/lake&spark.executor.memory=8g     further parameters are Spark's own settings

A password never stands here: libpq takes it from PGPASSWORD or ~/.pgpass.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

_HOST = re.compile(r"[\w.-]+:\d+(,[\w.-]+:\d+)*")
_SCHEMA = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class PostgresURL:
    """`dsn` is libpq's; without a `schema` the tables are looked for on the search path."""

    dsn: str
    schema: str | None

    @property
    def place(self) -> str:
        """host/db (schema), as a person calls it."""
        parts = urlsplit(self.dsn)
        where = f"{parts.hostname or 'localhost'}{parts.path}"
        return f"{where} ({self.schema})" if self.schema else where


@dataclass(frozen=True)
class SparkURL:
    """`master` as Spark writes it; `lake` the folder (or the address of one) with a folder of Parquet a table."""

    master: str
    lake: str
    settings: tuple[tuple[str, str], ...] = ()

    def folder(self, root: Path) -> Path | None:
        """The lake as a folder, relative to the workspace `root`; None where it is elsewhere (s3a://, hdfs://)."""
        return None if "://" in self.lake else root / self.lake


WarehouseURL = PostgresURL | SparkURL


def parse(text: str) -> WarehouseURL | None:
    """None for duckdb. ValueError, with what to write instead, for anything that is no engine of ours."""
    if text == "duckdb":
        return None
    scheme, found, rest = text.partition("://")
    if found and scheme in ("postgresql", "postgres"):
        return _postgres(rest)
    if found and scheme == "pyspark":
        return _spark(rest)
    shown = repr(text) if "@" not in text else repr(scheme)  # no password in a message
    raise ValueError(f"{shown}: write duckdb, postgresql://user@host/db?schema=promo or pyspark://local[2]?lake=lake")


def _postgres(rest: str) -> PostgresURL:
    place, _, query = rest.partition("?")
    parameters = parse_qsl(query, keep_blank_values=True)
    try:
        secret = urlsplit(f"postgresql://{place}").password is not None
    except ValueError as e:
        raise ValueError("write postgresql://user@host:port/db?schema=promo") from e
    if secret or any(name == "password" for name, _ in parameters):
        raise ValueError("a password must not stand in a file: give it in PGPASSWORD or ~/.pgpass")
    schema = next((value for name, value in parameters if name == "schema"), None)
    if schema is not None and not _SCHEMA.fullmatch(schema):
        raise ValueError("schema: letters, digits and _ only")
    others = urlencode([p for p in parameters if p[0] != "schema"])
    return PostgresURL(f"postgresql://{place}" + (f"?{others}" if others else ""), schema)


def _spark(rest: str) -> SparkURL:
    # By hand: the brackets of local[2] are no address to urlsplit.
    master, _, query = rest.partition("?")
    parameters = dict(parse_qsl(query, keep_blank_values=True))
    lake = parameters.pop("lake", "")
    if not master or not lake:
        raise ValueError("write pyspark://MASTER?lake=DIR, for example pyspark://local[2]?lake=lake")
    odd = next((name for name in parameters if not name.startswith("spark.")), None)
    if odd is not None:
        raise ValueError(f"{odd}: only lake= and Spark's own settings (spark.…=) can stand there")
    return SparkURL(f"spark://{master}" if _HOST.fullmatch(master) else master, lake, tuple(sorted(parameters.items())))
