"""Spark on more than one machine, as far as one machine can show it: a cluster of two workers, each a process of its own."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

from tests import crowded_shop
from tests.engines import SPARK, need_spark, shop_at
from tests.shops import load
from tests.test_engines import T, assert_same, numbers, panel
from tools.periods import window
from tools.publish import publish

# Run in a process of its own: a process works with one Spark.
ASK = """
import json, sys
from pathlib import Path
from tests.engines import shop_at
from tests.test_engines import panel, window, T
from tools.engine import open_engine
from datetime import date
reader = open_engine(shop_at(Path(sys.argv[1]), sys.argv[2]))
over = window(date(2026, 6, 13), date(2026, 6, 17), T)
cells = panel(reader, ["crowd_size", "visitors", "buyers", "paid_amount", "rv_value"], ["all", "old", "cart_unpaid"], over)
files = reader.session.read.parquet(f"{sys.argv[1]}/lake/activity")
plan = files.filter("day = DATE '2026-06-16'")._jdf.queryExecution().executedPlan().toString()
executors = reader.session.sparkContext._jsc.sc().statusStore().executorList(True)
worked = [executors.apply(i).completedTasks() for i in range(executors.size()) if executors.apply(i).id() != "driver"]
values = [[c.crowd, c.metric, c.value] for c in cells]
print(json.dumps({"values": values, "worked": worked, "days": len(files.inputFiles()), "plan": plan}))
"""


def test_two_workers_share_the_work(tmp_path: Path) -> None:
    need_spark()
    url = f"pyspark://local-cluster[2,1,1024]?lake=lake{SPARK}".replace("shuffle.partitions=1", "shuffle.partitions=2")
    duck = load(tmp_path / "data.duckdb", crowded_shop.tables())
    publish(duck, shop_at(tmp_path, url))
    environment = {**os.environ, "SPARK_LOCAL_IP": "127.0.0.1"}
    work = Path(str(importlib.util.find_spec("pyspark").origin)).parent / "work"  # type: ignore[union-attr]
    before = set(work.glob("*"))
    done = subprocess.run(
        [sys.executable, "-c", ASK, str(tmp_path), url],
        capture_output=True, text=True, check=False, timeout=300, env=environment, cwd=Path(__file__).parent.parent,
    )  # fmt: skip
    for left in set(work.glob("*")) - before:  # the workers' logs, in Spark's own folder
        shutil.rmtree(left)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)
    assert len(found["worked"]) == 2
    assert min(found["worked"]) > 0, "both workers did some of it"
    assert found["days"] > 20, "the days lie apart"
    assert "PartitionFilters: [isnotnull(day" in found["plan"], "a day that is not asked for is not read"
    over = window(date(2026, 6, 13), date(2026, 6, 17), T)
    keys, crowds = ["crowd_size", "visitors", "buyers", "paid_amount", "rv_value"], ["all", "old", "cart_unpaid"]
    expected = numbers(panel(duck, keys, crowds, over))
    assert_same({(crowd, metric, None): value for crowd, metric, value in found["values"]}, expected)
