"""Honest answers in other words, as a model may write them: made from real Answers, lines left out, facts said in other forms."""

from __future__ import annotations

import random
import re
from datetime import date

from bot.answer import Answer
from tests.false_answers import chinese, english
from tools.facts import Fact


def retold(answer: Answer, rng: random.Random) -> str:
    """An honest answer as a model may write it: lines left out or turned round, its facts said in other forms."""
    lines = [line for line in answer.text.split("\n") if line.strip()]
    kept = [line for line in lines if rng.random() < 0.6] or lines[:1]
    if rng.random() < 0.3:
        kept = [
            re.sub(r"(\d[\d,.]*)(?![\d.]*[:\-–/月日])", r"**\1**", line)
            if "[" not in line and "**" not in line
            else line
            for line in kept
        ]
    said = [s for f in rng.sample(answer.facts, min(len(answer.facts), 6)) if (s := _said(f, answer.lang, rng))]
    quotes = [
        f"“{sentence}”[{c.id}]"
        for c in answer.citations[:2]
        if (sentence := re.split(r"(?<=[。!?])|(?<=[a-z]\.)", c.quote)[0].strip())
    ]
    extra = [*said, *(quotes[:1] if rng.random() < 0.4 else [])]
    if rng.random() < 0.3:
        extra = [f"{i}. {s}" for i, s in enumerate(extra, 1)]
    elif rng.random() < 0.3:
        extra = ["| 项 | 数 |", "| --- | --- |", *(f"| {s} |" for s in extra)]
    idle = _IDLE_ZH if answer.lang == "zh" else _IDLE_EN
    return "\n".join([*kept, *extra, rng.choice(idle)] if rng.random() < 0.7 else [*extra, rng.choice(idle), *kept])


_IDLE_ZH = (
    "先做第一件事，再做第二件。",
    "一对一跟进，第一时间回复。",
    "分两步走：先发短信，再打电话。",
    "万一有人问，统一口径就一句话。",
    "618 和双11都可以这么做。",
    "A/B 两版都发，先定好口径。",
    "三八节那次的经验也能用。",
    "千万别一下子全发。",
    "这两件事不冲突，一起做。",
    "客服 24 小时在线，7 天无理由照旧。",
    "最后一天再看一次。",
    "之后只看一条线：加购到支付。",
    "唯一要留意的是别打扰已付款的人。",
)
_IDLE_EN = (
    "One thing at a time: first the VIPs, then the rest.",
    "It works the same way in Double 11.",
    "Keep it one to one, and double-check the list.",
    "There are two things to do next.",
    "One of them is enough for now.",
    "Support is there 24/7.",
    "Second, keep the last step for later.",
    "A/B both versions and keep the better one.",
    "On the one hand it is late, on the other nobody is lost.",
)


def _said(fact: Fact, lang: str, rng: random.Random) -> str | None:
    """A fact in another form that shows the same value."""
    if isinstance(fact.value, str):
        return _day_said(fact, lang, rng) if fact.unit == "date" else None
    if fact.value is None:
        return None
    value, label = abs(float(fact.value)), fact.label.rstrip(": ：")
    if re.search(r"\d", label):
        return None
    zh = lang == "zh"
    if fact.unit == "people":
        n = round(value)
        unit = "人" if zh else " people"
        forms = [
            f"{n:,}{unit}",
            f"**{n:,}** {unit.strip()}",
            f"{n}{unit}",
            f"{chinese(n)}人" if zh else f"{english(n)} people",
        ]
        if n >= 12_000:
            forms += [
                f"{n / 10_000:.1f}万人" if zh else f"{n / 1000:.1f}k people",
                f"约 {n / 10_000:.1f} 万" if zh else f"about {n / 1000:.0f}k",
            ]
        if n >= 1_000:
            forms += [
                f"约 {round(n, -2):,} 人" if zh else f"roughly {round(n, -2):,} people",
                f"超过 {n // 100 * 100:,} 人" if zh else f"over {n // 100 * 100:,} people",
            ]
        return f"{label}{'：' if zh else ': '}{rng.choice(forms)}"
    if fact.unit == "CNY":
        whole = float(round(value, 2)) if value < 1000 else round(value)
        forms = [f"¥{whole:,}", f"{whole}元" if zh else f"{whole:,} yuan", f"RMB {whole:,}"]
        if value >= 12_000:
            forms += (
                [f"{value / 10_000:.1f}万元", f"¥{value / 10_000:.2f}万"]
                if zh
                else [f"¥{value / 1000:.1f}k", f"RMB {value / 1e6:.3f}m"]
            )
        return f"{label} {rng.choice(forms)}"
    if fact.unit == "ratio" and "%" in fact.display and value < 1:
        shown = fact.display.lstrip("+-")
        forms = [
            shown,
            f"{value:.3f}",
            f"{value * 100:.0f}%",
            f"百分之{chinese(int(float(shown[:-1])))}" if zh and value >= 0.01 and shown.endswith(".0%") else shown,
            f"{shown[:-1]} percent",
        ]
        return f"{label} {rng.choice(forms)}"
    if fact.unit in ("hours", "days"):
        word = {"hours": "小时", "days": "天"}[fact.unit] if zh else fact.unit
        n = round(value)
        words = chinese(n) if zh else f"{english(n)} "
        return f"{label} {rng.choice([f'{n} {word}', f'{words}{word}'])}"
    return f"{label} {fact.display}"


def _day_said(fact: Fact, lang: str, rng: random.Random) -> str | None:
    stamp = str(fact.value)
    day, clock = date.fromisoformat(stamp[:10]), stamp[11:16]
    if clock == "00:00":
        return f"{fact.display} 为止" if lang == "zh" else f"until {fact.display}"
    forms = [
        f"{day.month} 月 {day.day} 日 {clock}",
        f"{day.month}/{day.day} {clock}",
        f"{day.month}月{day.day}号{int(clock[:2])}点" if clock.endswith("00") else clock,
    ]
    if lang == "en":
        forms = [f"{day:%B} {day.day}, {clock}", f"{day.day} {day:%b} at {clock}", f"{day:%b} {day.day}"]
    return rng.choice(forms)
