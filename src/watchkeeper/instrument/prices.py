"""What a call of a model costs, and by which price: genai-prices, offline."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from genai_prices.types import PriceCalculation


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenUsage:
    """Tokens of one call. `input` holds those read from a cache (`cached_input`) and those written
    to one (`cache_write`, of which `cache_write_hour` are kept for an hour, which costs more);
    `output` holds the reasoning ones. In the metric each token counts once, under its own type."""

    input: int = 0
    cached_input: int = 0
    cache_write: int = 0
    cache_write_hour: int = 0
    output: int = 0
    reasoning: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What a call costs, and by which price.

    `date` is the day (ISO 8601) since when the list has that price, or else the day on which the
    list was fetched, or UNDATED. `price_list` is the list's name and version.
    """

    cost_usd: float
    date: str
    price_list: str


UNDATED = "undated"
"""The date of a price that has not changed since its list knows it, in a list that was installed
and not fetched: the list's version tells how old it is."""
UNKNOWN = "unknown"
"""The date of a price that is not known."""


def find_price(provider: str, model: str, tokens: TokenUsage, moment: datetime) -> Price | None:
    """Return what a call at `moment` costs, or None if the price is not known."""
    try:
        from genai_prices import Usage, __version__, calc_price
    except ImportError:
        return None
    try:
        usage = Usage(
            input_tokens=tokens.input,
            cache_read_tokens=tokens.cached_input,
            cache_write_tokens=tokens.cache_write,
            cache_write_1h_tokens=tokens.cache_write_hour,
            output_tokens=tokens.output,
        )
        found = calc_price(
            usage, model_ref=model, provider_id=provider, genai_request_timestamp=moment
        )
    except (LookupError, ValueError):
        return None
    return Price(
        cost_usd=float(found.total_price),
        date=_price_date(found),
        price_list=f"genai-prices {__version__}",
    )


def price_attributes(price: Price | None) -> dict[str, str | float]:
    """Return what a span says of a call's price; of one that is not known, that it is not."""
    if price is None:
        return {"llm.price_date": UNKNOWN}
    return {
        "llm.cost_usd": price.cost_usd,
        "llm.price_date": price.date,
        "llm.price_list": price.price_list,
    }


def _price_date(found: PriceCalculation) -> str:
    if isinstance(found.model.prices, list):
        for priced in found.model.prices:
            since = getattr(priced.constraint, "start_date", None)
            if priced.prices is found.model_price and since is not None:
                return str(since.isoformat())
    fetched = found.auto_update_timestamp
    return fetched.date().isoformat() if fetched else UNDATED
