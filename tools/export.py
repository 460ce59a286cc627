"""Crowds as files: user ids and the columns asked for. Personal data leaves only here, by request, and is logged."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tools import audience
from tools.cells import plain
from tools.errors import AskAgain
from tools.scope import Moments, Scope

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from tools.reader import Reader

COLUMNS = ("member_level", "city", "member_joined_at", "fan_since", "in_exclusive_service", "in_group", "sms_opt_out")


def export_crowd(
    engine: Reader, text: str, scope: Scope, path: Path, columns: Sequence[str], *, with_phone: bool, log: Path
) -> int:
    """Write the crowd's people to `path` (CSV, UTF-8 with BOM) and note it in `log`. Returns the number of people.

    AskAgain when a column is unknown. A cell that a spreadsheet would run as a formula is made plain text.
    """
    columns = [c for c in columns if c != "user_id"]  # it is always there
    unknown = [c for c in columns if c not in COLUMNS]
    if unknown:
        raise AskAgain("unknown_column", name=unknown[0], nearest=", ".join(COLUMNS))
    wanted = ["user_id", *columns, *(["phone"] if with_phone else [])]

    def build(at: Moments) -> ir.Table:
        people = audience.expression(engine, text, at)
        t = people.left_join(engine.table("customers"), "user_id").drop("user_id_right")
        return t.select(*wanted).order_by("user_id")

    rows, _ = engine.rows(("export", audience.canonical(audience.parse(text)), *wanted), build, scope)
    with path.open("w", encoding="utf-8-sig", newline="") as f:
        writer = csv.writer(f)
        writer.writerow(wanted)
        writer.writerows([[plain(row[c]) for c in wanted] for row in rows])
    note = {
        "at": datetime.now().isoformat(timespec="seconds"),
        "what": "export",
        "crowd": text,
        "people": len(rows),
        "columns": wanted,
        "file": str(path),
    }
    with log.open("a", encoding="utf-8") as f:
        f.write(json.dumps(note, ensure_ascii=False) + "\n")
    return len(rows)
