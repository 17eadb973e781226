"""Whether a tool that the provider runs and bills by its use is sold at a price, and by which part of it."""

from tollhouse.billing.prices import Price
from tollhouse.core.hosted_tools import HostedTool


def sold_by(price: Price | None, tool: HostedTool) -> str | None:
    """The service tier that a call with the tool pays; empty: the price itself has it. None: it is not sold.

    A price of its own, by the tool's name, goes before one by the search; a price by the request pays for its searches.
    """
    if price is None:
        return None
    if tool.name in price.service_tiers:
        return tool.name
    units = price.tiers[0].per_unit
    return "" if tool.is_search and ("searches" in units or "requests" in units) else None
