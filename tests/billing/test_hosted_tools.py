"""A tool that the provider runs is sold by a tier of its name, by the search, by the request, or not at all."""

import pytest

from tollhouse.billing.hosted_tools import sold_by
from tollhouse.billing.prices import read_price
from tollhouse.core.hosted_tools import HostedTool
from tollhouse.core.price import Written

TOKENS: Written = {"input": "2.50", "output": "10.00"}
SEARCH = HostedTool("web_search", "tools[0]", is_search=True)
PYTHON = HostedTool("code_interpreter", "tools[0]")
TIERED: Written = {**TOKENS, "service_tiers": {"web_search": {**TOKENS, "per_request": "0.03"}}}


@pytest.mark.parametrize(
    ("written", "search", "python"),
    [
        (None, None, None),
        (TOKENS, None, None),
        ({**TOKENS, "per_image": "0.04"}, None, None),
        ({**TOKENS, "per_search": "0.01"}, "", None),
        ({**TOKENS, "per_search": "0"}, "", None),
        ({**TOKENS, "per_request": "0.01"}, "", None),
        (TIERED, "web_search", None),
        ({**TIERED, "per_search": "0.01"}, "web_search", None),
        ({**TOKENS, "service_tiers": {"code_interpreter": TOKENS}}, None, "code_interpreter"),
    ],
)
def test_what_sells_a_tool(written: Written | None, search: str | None, python: str | None) -> None:
    price = None if written is None else read_price(written, id="price_1", model="m")
    assert (sold_by(price, SEARCH), sold_by(price, PYTHON)) == (search, python)
