"""The catalogue: campaigns, crowds, metrics, strategies, tables and the moves on un-paid people, as validated data.

Each file is loaded on first use and only once, so that a command pays for what it needs. Unknown keys are refused with the
file, the key and the nearest valid key (`CatalogError`).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

if TYPE_CHECKING:
    from knowledge.strategies import Strategy

HERE = Path(__file__).parent

M = TypeVar("M", bound=BaseModel)

Unit = Literal["people", "CNY", "ratio", "count", "date", "text", "hours", "days", "points"]


class CatalogError(ValueError):
    """A catalogue file says something that cannot be; the message names file, place and what would be valid."""


class Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Bilingual(Entry):
    zh: str
    en: str

    def get(self, lang: str) -> str:
        return self.en if lang == "en" else self.zh


class SourceRef(Entry):
    """A playbook section: `playbook` is the file's id, `section` the anchor of one of its headings."""

    playbook: str
    section: str


# --- campaigns ---------------------------------------------------------------------------------------------------


class PhaseTemplate(Entry):
    key: str = Field(pattern=r"^(prepare|pool|presale|preheat\d*|sale\d*|review)$")
    name: Bilingual | str
    first: Any = Field(alias="from")
    last: Any = Field(alias="to")


class Span(Entry):
    """Days `from`..`to`, both included."""

    first: Any = Field(alias="from")
    last: Any = Field(alias="to")


class Gate(Entry):
    """A moment that matters: `at` is "MM-DD HH:MM" (or with a year)."""

    at: Any
    name: Bilingual | str


class CampaignTemplate(Entry):
    """A campaign without a year (days are "MM-DD"), or a merchant's own one with a year."""

    key: str
    name: Bilingual | str
    aliases: list[str] = []
    phases: list[PhaseTemplate] = Field(min_length=1)
    gates: list[Gate] = []
    member_days: list[Any] = []
    balance_windows: list[Span] | None = None
    cohort_date: Any = None
    recruit_from: Any = None
    peak_day: Any = None  # the day that the campaign is named after: "618当天", "on Double 11"


# --- crowds and metrics ------------------------------------------------------------------------------------------


class Named(Entry):
    """What has names and a meaning: a crowd, a metric."""

    name: Bilingual
    aliases: list[str] = []
    meaning: Bilingual
    source: SourceRef | None = None


class CrowdDef(Named):
    kind: Literal["panel", "action", "acquisition", "lifecycle", "helper"]
    within: str | None = None  # a crowd that this one is a part of by definition
    cart: bool = False  # money at stake and top items are meaningful


class MetricDef(Named):
    """A metric that is counted, the quotient of two, or the peers' average of another one (`peer_of`). `multiple`: a ratio
    that people read as a number (ROI 3.2), not in percent."""

    unit: Unit
    multiple: bool = False
    peer_of: str | None = None
    numerator: str | None = None
    denominator: str | None = None


class MetricFile(Entry):
    metrics: dict[str, MetricDef]
    ambiguous: dict[str, list[str]] = {}


class CrowdFile(Entry):
    crowds: dict[str, CrowdDef]


# --- moves -------------------------------------------------------------------------------------------------------

Channel = Literal["sms", "card_sms", "ai_call", "exclusive_service", "group", "push", "live"]


Slot = Literal["morning", "noon", "afternoon", "evening", "night", "none"]


class Move(Entry):
    """One action on un-paid people. `crowd` is a crowd expression in which {crowd} stands for the crowd asked about."""

    id: str
    title: Bilingual
    crowd: str | None = None
    channels: list[Channel] = []
    slot: Slot = "none"
    deadline: Literal["wave_end", "phase_end", "balance_end", "next_phase", "today"] | None = None
    note: Bilingual | None = None
    slots: dict[str, Slot] = {}  # another time of day in a campaign's phase, by "campaign.phase"
    sources: dict[str, SourceRef]
    stop: Bilingual | None = None
    days: Literal["all", "not_last", "last"] = "all"
    only_in_balance_window: bool = False
    dont: bool = False  # what not to do today: no audience, no time

    def source(self, campaign: str, phase: str) -> SourceRef:
        """The section to cite: the most specific one of `campaign.phase`, `campaign` and `default`."""
        named = (self.sources.get(key) for key in (f"{campaign}.{phase}", campaign))
        return next((s for s in named if s is not None), self.sources["default"])


class PhaseRule(Entry):
    """What "un-paid" means in one kind of phase, and what follows."""

    ratio: str
    meaning: Bilingual
    pay_reminder: bool
    headline: Bilingual
    headline_last_day: Bilingual | None = None
    moves: list[Move] = Field(min_length=1)


class UnpaidFile(Entry):
    slots: dict[Slot, list[str]]
    quiet_channels: list[Channel]
    quiet_from: str
    quiet_to: str
    night_from: str
    phases: dict[Literal["prepare", "pool", "presale", "preheat", "sale", "review"], PhaseRule]


# --- tables ------------------------------------------------------------------------------------------------------


class Column(Entry):
    type: Literal["text", "time", "day", "money", "number", "integer", "flag", "choice"]
    required: bool = False
    aliases: list[str] = []
    values: dict[str, list[str]] = {}
    of: Literal["crowds", "metrics"] | None = None  # a choice among the catalogue's own, by any of their names
    end_of_day: bool = False  # a day without a time means its last second
    ahead: bool = False  # a moment that may be to come: validity, targets; all others are facts of the past
    usual: str | None = None  # the value that rows mostly have where a file does not say: suggested, never assumed


class TableDef(Entry):
    name: Bilingual
    key: list[str] = []
    time: str | None = None
    columns: dict[str, Column]


class NeedsFile(Entry):
    """Per thing that can be asked, the data that it cannot be told without (the terms stand at the head of needs.yaml)."""

    crowds: dict[str, list[str]]
    metrics: dict[str, list[str]]
    by: dict[str, list[str]]
    compare: dict[str, list[str]]


# --- loading -----------------------------------------------------------------------------------------------------


def read_yaml(path: Path) -> Any:
    """The document in `path`; a syntax error becomes a CatalogError that names the file and the line."""
    try:
        return read_yaml_text(path.read_text(encoding="utf-8"), path.name)
    except UnicodeDecodeError as e:
        raise CatalogError(f"{path.name}: not UTF-8 text: {e}") from e


@cache
def _loader() -> Any:
    """YAML in which `no`, `on` and `yes` are words, as in YAML 1.2: a word list may hold them."""
    base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    loader: Any = type("WordLoader", (base,), {})
    loader.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
        for first, resolvers in base.yaml_implicit_resolvers.items()
    }
    loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$", re.IGNORECASE), list("tTfF"))
    return loader


def read_yaml_text(text: str, file: str) -> Any:
    try:
        return yaml.load(text, Loader=_loader())
    except yaml.YAMLError as e:
        raise CatalogError(f"{file}: not readable as YAML: {e}") from e


def validate(model: type[M], raw: Any, file: str) -> M:
    """`raw` as a `model`, or a CatalogError that says file, place, problem and, for an unknown key, the nearest valid one."""
    try:
        return model.model_validate(raw)
    except ValidationError as e:
        # A slip in a key also makes the right key missing: the slip is what to show.
        first = next((x for x in e.errors() if x["type"] == "extra_forbidden"), e.errors()[0])
        place = ".".join(str(p) for p in first["loc"]) or "(top)"
        message = f"{file}: {place}: {first['msg']}"
        if first["type"] == "extra_forbidden":
            key = str(first["loc"][-1])
            near = difflib.get_close_matches(key, sorted(_keys_of(model, first["loc"][:-1])), n=1, cutoff=0.5)
            message = f"{file}: {place}: unknown key {key!r}" + (f"; did you mean {near[0]!r}?" if near else "")
        raise CatalogError(message) from e


def _keys_of(model: type[BaseModel], loc: tuple[int | str, ...]) -> set[str]:
    """The keys valid at `loc`; where a step cannot be followed (unions, mappings), all keys of the models on the way."""
    found: set[str] = set()
    todo: list[type[BaseModel]] = [model]
    seen: set[type[BaseModel]] = set()
    while todo:
        m = todo.pop()
        if m in seen:
            continue
        seen.add(m)
        for name, field in m.model_fields.items():
            found.add(field.alias or name)
            todo += _models_in(field.annotation)
    direct = {f.alias or n for n, f in model.model_fields.items()}
    return direct if not loc else found


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [m for arg in getattr(annotation, "__args__", ()) for m in _models_in(arg)]


@cache
def campaign_templates() -> dict[str, CampaignTemplate]:
    """Undated campaign templates by key."""
    out = {}
    for path in sorted((HERE / "campaigns").glob("*.yaml")):
        template = validate(CampaignTemplate, read_yaml(path), f"campaigns/{path.name}")
        out[template.key] = template
    return out


@cache
def crowds() -> dict[str, CrowdDef]:
    return validate(CrowdFile, read_yaml(HERE / "crowds.yaml"), "crowds.yaml").crowds


@cache
def _metric_file() -> MetricFile:
    return validate(MetricFile, read_yaml(HERE / "metrics.yaml"), "metrics.yaml")


def metrics() -> dict[str, MetricDef]:
    return _metric_file().metrics


def metrics_akin(key: str) -> frozenset[str]:
    """A metric with those that move as it does: a rate and the people or money it is a rate of, and their other rates.
    Empty for an unknown key."""
    known = metrics()
    if key not in known:
        return frozenset()
    counted = known[key].numerator if known[key].unit == "ratio" else None
    whole = counted or key
    rates = {k for k, m in known.items() if m.unit == "ratio" and m.numerator == whole}
    return frozenset({key, *rates, *({whole} & set(known))})


def ambiguous_metrics() -> dict[str, list[str]]:
    """Words that name more than one metric, with the metrics they could mean."""
    return _metric_file().ambiguous


def strategies() -> list[Strategy]:
    """The tasks and methods of the playbooks (knowledge/strategies.py)."""
    from knowledge.strategies import builtin

    return builtin()


def strategy_of(source: SourceRef) -> Strategy | None:
    """The task that a playbook section describes, if it describes one."""
    return next((s for s in strategies() if s.kind == "task" and s.source == source), None)


@cache
def unpaid() -> UnpaidFile:
    return validate(UnpaidFile, read_yaml(HERE / "unpaid.yaml"), "unpaid.yaml")


@cache
def tables() -> dict[str, TableDef]:
    raw = read_yaml(HERE / "tables.yaml")
    found = {key: validate(TableDef, value, f"tables.yaml: {key}") for key, value in raw.items()}
    for table in found.values():
        for column in table.columns.values():
            if column.of:
                column.values.update(_words_of(column.of))
    return found


def _words_of(kind: Literal["crowds", "metrics"]) -> dict[str, list[str]]:
    """key → every name; what is known of a metric's peers is written under the metric."""
    out: dict[str, list[str]] = {}
    entries: Mapping[str, Named] = crowds() if kind == "crowds" else metrics()
    for key, entry in entries.items():
        base = (entry.peer_of if isinstance(entry, MetricDef) else None) or key
        out.setdefault(base, []).extend([key, entry.name.zh, entry.name.en, *entry.aliases])
    return out


@cache
def needs() -> NeedsFile:
    file = validate(NeedsFile, read_yaml(HERE / "needs.yaml"), "needs.yaml")
    for part in (file.crowds, file.metrics, file.by, file.compare):
        for key, terms in part.items():
            for term in "|".join(terms).split("|"):
                _check_need(key, term)
    return file


def need_parts(term: str) -> tuple[str, str | None, str | None]:
    """(table, column, kind of its rows) of one term of needs.yaml; column and kind None where it names none."""
    table, mark, part = term.partition(":" if ":" in term else ".")
    return table, part if mark == "." else None, part if mark == ":" else None


def _check_need(key: str, term: str) -> None:
    """CatalogError unless `term` names a table, one of its columns, or a kind of events."""
    table, column, kind = need_parts(term)
    known = tables().get(table)
    if (
        known is None
        or (column is not None and column not in known.columns)
        or (kind is not None and (table != "events" or kind not in known.columns["kind"].values))
    ):
        raise CatalogError(f"needs.yaml: {key}: there is no {term!r} in tables.yaml")
