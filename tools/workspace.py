"""Making a shop workspace: empty, or the demo shop."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from datetime import date, datetime
from pathlib import Path

from knowledge import catalog
from tools.engine import Engine
from tools.errors import AskAgain, NeedsPerson

DEMO_NAME = "花漾护肤"
DEMO_SIGNATURE = "花漾"
DEMO_CLOCK = datetime(2026, 6, 17, 10)
DEMO_CAMPAIGNS = ("618:2025", "double11:2025", "618:2026", "double11:2026")


def create(
    root: Path,
    *,
    name: str,
    campaigns: Sequence[str],
    demo: bool,
    progress: Callable[[str, float], None] | None = None,
) -> None:
    """A new workspace at `root`; nothing is left behind when it fails half-way.

    NeedsPerson when there is one already; AskAgain when a campaign is not KEY:YEAR of a known template.
    """
    if (root / "shop.yaml").exists():
        raise NeedsPerson("exists", path=str(root))
    chosen = list(campaigns) or (list(DEMO_CAMPAIGNS) if demo else _this_year())
    text = _shop_yaml(DEMO_NAME if demo and not name else name or root.name, _instances(chosen), demo=demo)
    root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=root, prefix=".new-") as folder:
        part = Path(folder)
        engine = Engine(part / "data.duckdb", read_only=False)
        try:
            engine.create_tables()
            if demo:
                _fill(engine, progress)
        finally:
            engine.close()
        shutil.move(part / "data.duckdb", root / "data.duckdb")
        # shop.yaml comes last: where it stands, the workspace is whole.
        (part / "shop.yaml").write_text(text, encoding="utf-8")
        shutil.move(part / "shop.yaml", root / "shop.yaml")


def _fill(engine: Engine, progress: Callable[[str, float], None] | None) -> None:
    from tools.demo import demo_tables

    for table, rows in demo_tables(progress=progress).items():
        engine.load_arrow(table, rows)


def _this_year() -> list[str]:
    return [f"{key}:{date.today().year}" for key in catalog.campaign_templates()]


def _instances(chosen: Sequence[str]) -> list[tuple[str, int]]:
    templates = catalog.campaign_templates()
    out = []
    for text in chosen:
        key, _, year = text.partition(":")
        year = year or str(date.today().year)
        if key not in templates or not year.isdigit() or not 2000 <= int(year) <= 2099:
            raise AskAgain("unknown_template", name=text, nearest=", ".join(templates))
        out.append((key, int(year)))
    return out


def _shop_yaml(name: str, instances: Sequence[tuple[str, int]], *, demo: bool) -> str:
    """shop.yaml with the settings that are most often changed spelled out."""
    import json

    lines = [
        f"name: {json.dumps(name, ensure_ascii=False)}",
        f"signature: {json.dumps(DEMO_SIGNATURE if demo and name == DEMO_NAME else name, ensure_ascii=False)}"
        "   # stands in 【】 at the head of an SMS",
        "timezone: Asia/Shanghai",
        "currency: CNY",
    ]
    if demo:
        lines.append(f"clock: {DEMO_CLOCK:%Y-%m-%d %H:%M}   # the demo's now; delete the line to use the real one")
    lines.append("campaigns:")
    lines += [f'  - {{template: "{key}", year: {year}}}' for key, year in instances]
    lines.append("settings: {old_customer_days: 365, active_days: 90, attribution_hours: 72}")
    return "\n".join(lines) + "\n"
