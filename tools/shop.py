"""The shop workspace: a folder with shop.yaml, the data, the knowledge index and the state (contracts: workspace)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, model_validator

from knowledge import catalog
from knowledge.catalog import CampaignTemplate, CatalogError, Entry
from knowledge.settings import IndexSettings
from tools.backends import url
from tools.campaigns import Campaign, date_campaign
from tools.errors import NeedsPerson


class Thresholds(Entry):
    """Cut-offs of crowds and metrics, in days unless the name says otherwise."""

    old_customer_days: int = Field(365, ge=1)
    active_days: int = Field(90, ge=1)
    attribution_hours: int = Field(72, ge=1)
    new_member_days: int = Field(30, ge=1)
    active_old_days: int = Field(90, ge=1)
    prechurn_days: int = Field(365, ge=1)


class TemplateInstance(Entry):
    template: str
    year: int

    @model_validator(mode="before")
    @classmethod
    def _text_key(cls, raw: Any) -> Any:
        return {**raw, "template": str(raw["template"])} if isinstance(raw, dict) and "template" in raw else raw


class OwnCampaign(CampaignTemplate):
    year: int

    @model_validator(mode="before")
    @classmethod
    def _text_key(cls, raw: Any) -> Any:
        return {**raw, "key": str(raw["key"])} if isinstance(raw, dict) and "key" in raw else raw


class ShopFile(Entry):
    name: str
    signature: str | None = None
    link: str | None = None
    opt_out: str = "拒收请回复R"
    timezone: str = "Asia/Shanghai"
    currency: str = "CNY"
    clock: str | datetime | date | None = None
    engine: str = "duckdb"
    campaigns: list[dict[str, Any]] = []
    settings: Thresholds = Thresholds()
    knowledge: IndexSettings = IndexSettings()


@dataclass(frozen=True)
class Shop:
    """One loaded workspace. Times everywhere are naive and local to `timezone`.

    `link` stands in messages to one person, `opt_out` (how to refuse further messages) at the end of every SMS.
    `warehouse` is the engine that answers where it is not the workspace's own, `knowledge` how playbooks are indexed.
    """

    root: Path
    name: str
    signature: str
    timezone: ZoneInfo
    currency: str
    clock: datetime | None
    campaigns: tuple[Campaign, ...]
    settings: Thresholds
    link: str | None = None
    opt_out: str = "拒收请回复R"
    warehouse: url.WarehouseURL | None = None
    knowledge: IndexSettings = field(default_factory=IndexSettings)

    @property
    def key(self) -> str:
        """The workspace folder's name: what the shop is called in grants, chats and the audit log."""
        return self.root.resolve().name

    @property
    def data_file(self) -> Path:
        return self.root / "data.duckdb"

    @property
    def has_data(self) -> bool:
        """Whether there is an engine to ask: a data file, or an engine elsewhere."""
        return self.warehouse is not None or self.data_file.exists()

    @property
    def rejects_dir(self) -> Path:
        return self.root / "rejects"

    @property
    def index_dir(self) -> Path:
        return self.root / "index"

    @property
    def statements_file(self) -> Path:
        return self.root / "statements.json"

    @property
    def memory_file(self) -> Path:
        return self.root / "memory.sqlite"

    def now(self) -> datetime:
        """The pinned clock, or the wall clock in the shop's time zone, to the second."""
        if self.clock is not None:
            return self.clock
        return datetime.now(self.timezone).replace(tzinfo=None, microsecond=0)


def parse_moment(text: str) -> datetime:
    """`YYYY-MM-DD[ HH:MM[:SS]]` as a naive datetime; ValueError otherwise."""
    return datetime.fromisoformat(text.strip().replace("/", "-")).replace(tzinfo=None, microsecond=0)


def load_shop(root: Path) -> Shop:
    """The workspace at `root`; NeedsPerson when there is none or when shop.yaml is wrong (file, key, nearest key)."""
    path = root / "shop.yaml"
    if not path.is_file():
        raise NeedsPerson("no_workspace", path=str(root))
    try:
        raw = catalog.read_yaml(path)
        if not isinstance(raw, dict):
            raise CatalogError("shop.yaml: (top): a mapping with at least `name` is needed")
        file = catalog.validate(ShopFile, raw, "shop.yaml")
        clock = file.clock
        if isinstance(clock, str):
            try:
                clock = parse_moment(clock)
            except ValueError as e:
                raise CatalogError(f'shop.yaml: clock: {clock!r}; write "2026-06-17 10:00"') from e
        elif isinstance(clock, date) and not isinstance(clock, datetime):
            clock = datetime(clock.year, clock.month, clock.day)
        try:
            zone = ZoneInfo(file.timezone)
        except (ZoneInfoNotFoundError, ValueError) as e:
            raise CatalogError(f"shop.yaml: timezone: no zone {file.timezone!r}; write Asia/Shanghai or alike") from e
        try:
            warehouse = url.parse(file.engine)
        except ValueError as e:
            raise CatalogError(f"shop.yaml: engine: {e}") from e
        campaigns = tuple(_campaign(entry, i) for i, entry in enumerate(file.campaigns))
    except CatalogError as e:
        raise NeedsPerson("bad_file", detail=str(e), file=str(path)) from e
    twice = [c for c in campaigns if sum(o.key == c.key and o.year == c.year for o in campaigns) > 1]
    if twice:
        raise NeedsPerson("bad_file", detail=f"shop.yaml: campaigns: {twice[0].key} stands twice", file=str(path))
    return Shop(
        root=root,
        name=file.name,
        signature=file.signature or file.name,
        timezone=zone,
        currency=file.currency,
        clock=clock,
        campaigns=tuple(sorted(campaigns, key=lambda c: c.first)),
        settings=file.settings,
        link=file.link,
        opt_out=file.opt_out,
        warehouse=warehouse,
        knowledge=file.knowledge,
    )


def _campaign(entry: dict[str, Any], i: int) -> Campaign:
    where = f"shop.yaml: campaigns.{i}"
    if "template" in entry:
        instance = catalog.validate(TemplateInstance, entry, where)
        templates = catalog.campaign_templates()
        if instance.template not in templates:
            raise CatalogError(f"{where}: no template {instance.template!r}; there are {', '.join(templates)}")
        return date_campaign(templates[instance.template], instance.year, where)
    own = catalog.validate(OwnCampaign, entry, where)
    return date_campaign(own, own.year, where)
