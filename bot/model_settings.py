"""Which language model converses, if any: read from the environment, because keys stand nowhere else.

WARROOM_MODEL="openai:qwen-max openai:gpt-5-mini"   the first answers; the next one when it fails
OPENAI_BASE_URL, OPENAI_API_KEY                      of the first; …_2, …_3 of the next ones, else the same
WARROOM_MODEL_TIMEOUT=30                             seconds for a whole answer, then the embedded model answers
WARROOM_MODEL_PRICE="2.4/9.6"                        a million input/output tokens, in any currency
WARROOM_MODEL_BUDGET=20                              a day and chat, in the same currency
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tools.errors import NeedsPerson

_PREFIX = "openai:"
_SECONDS = 30.0
_MILLION = 1_000_000


@dataclass(frozen=True)
class Endpoint:
    """A chat model at an OpenAI-compatible endpoint; `url` None is OpenAI's own."""

    model: str
    url: str | None
    key: str = field(repr=False)

    @property
    def name(self) -> str:
        return f"{_PREFIX}{self.model}"


@dataclass(frozen=True)
class ModelSettings:
    """`timeout` in seconds for a whole answer; `price` of a million (input, output) tokens; `budget` a day and chat."""

    endpoints: tuple[Endpoint, ...]
    timeout: float = _SECONDS
    price: tuple[float, float] | None = None
    budget: float | None = None

    def cost(self, input_tokens: int, output_tokens: int) -> float | None:
        """What that many tokens cost; None when no price was given."""
        if self.price is None:
            return None
        return (input_tokens * self.price[0] + output_tokens * self.price[1]) / _MILLION


def model_settings(env: Mapping[str, str]) -> ModelSettings | None:
    """Read from `env`; None when the embedded model is to answer. NeedsPerson names the setting that cannot be read."""
    names = env.get("WARROOM_MODEL", "").replace(",", " ").split()
    if not names or names == ["embedded"]:
        return None
    endpoints = []
    for n, name in enumerate(names, start=1):
        if not name.startswith(_PREFIX) or not name.removeprefix(_PREFIX):
            raise _bad("WARROOM_MODEL", name, "openai:gpt-5-mini")
        url = _of("OPENAI_BASE_URL", n, env) or None
        if url is not None and urlsplit(url).scheme not in ("http", "https"):
            raise _bad("OPENAI_BASE_URL", url, "http://10.0.0.5:8000/v1")
        key = _of("OPENAI_API_KEY", n, env)
        if not key and url is None:
            raise NeedsPerson("model_key", model=name)
        endpoints.append(Endpoint(name.removeprefix(_PREFIX), url, key or "none"))
    price = _price(env)
    budget = _number(env, "WARROOM_MODEL_BUDGET", "20")
    if budget is not None and price is None:
        raise NeedsPerson("budget_without_price")
    return ModelSettings(tuple(endpoints), _number(env, "WARROOM_MODEL_TIMEOUT", "30") or _SECONDS, price, budget)


def _of(name: str, n: int, env: Mapping[str, str]) -> str:
    """The setting of the n-th endpoint, else the first one's."""
    own = env.get(f"{name}_{n}", "").strip() if n > 1 else ""
    return own or env.get(name, "").strip()


def _price(env: Mapping[str, str]) -> tuple[float, float] | None:
    said = env.get("WARROOM_MODEL_PRICE", "").strip()
    if not said:
        return None
    first, _, second = said.partition("/")
    try:
        price = float(first), float(second)
    except ValueError:
        raise _bad("WARROOM_MODEL_PRICE", said, "2.4/9.6") from None
    if not all(0 <= p < _MILLION for p in price):
        raise _bad("WARROOM_MODEL_PRICE", said, "2.4/9.6")
    return price


def _number(env: Mapping[str, str], name: str, example: str) -> float | None:
    said = env.get(name, "").strip()
    if not said:
        return None
    try:
        value = float(said)
    except ValueError:
        raise _bad(name, said, example) from None
    if not 0 < value < _MILLION:
        raise _bad(name, said, example)
    return value


def _bad(name: str, value: str, example: str) -> NeedsPerson:
    return NeedsPerson("bad_setting", name=name, value=value, example=example)
