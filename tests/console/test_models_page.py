"""The page of models: what this account may call, at its own price, found whatever the case."""

import re

import pytest

from tests.admin.harness import OPERATOR, AdminHarness
from tests.console.harness import HOSTILE, Browser, Outline, member
from tests.console.platform import signed_in
from tests.console.test_pages import require_sound
from tollhouse.billing.price_list import PriceLists
from tollhouse.billing.prices import read_price
from tollhouse.core.amount import NANO_PER_USD as USD
from tollhouse.core.catalogue import Catalogue, Model
from tollhouse.core.charge import Charge
from tollhouse.services import accounts, models

MODELS = (
    Model(id="Alpha-Chat", aliases=("alpha",), operations=("chat",), context_tokens=128_000, description="Quick"),
    Model(id="beta/深:free", free=True, operations=("chat",), retires_at="2099-01-31", successor="Alpha-Chat"),
    Model(id="vectors", operations=("embeddings",)),
    Model(id="hidden", groups=("others",), free=True),
    Model(id="gone", free=True, retires_at="2020-01-01"),
)
TIERED = {
    "input": "2.50",
    "cache_read": "1.25",
    "output": "10",
    "tiers": [{"above_input_tokens": 200_000, "input": "5", "output": "20"}],
}


@pytest.fixture(autouse=True)
def catalogue(admin: AdminHarness) -> None:
    admin.services.catalogue = Catalogue(models={one.id: one for one in MODELS})
    rows = (
        read_price(TIERED, id="price_1", model="Alpha-Chat"),
        read_price({"input": "0.02"}, id="price_2", model="vectors"),
    )
    admin.services.prices = PriceLists(rows)


def test_page_lists_what_this_account_may_call(admin: AdminHarness, owner: Browser) -> None:
    page = owner.get("/console/models")
    require_sound(page.html)
    for words in ("Alpha-Chat", "beta/深:free", "vectors", "$2.50", "$1.25", "$10.00", "128,000", "retires 2099-01-31"):
        assert words in page.html
    for words in ("hidden", "gone"):
        assert f"<code>{words}</code>" not in page.html


@pytest.mark.parametrize(
    ("unit", "words"),
    [
        ("per_image", "an image"),
        ("per_second", "a second"),
        ("per_character", "a character"),
        ("per_request", "a call"),
        ("per_search", "a search"),
    ],
)
@pytest.mark.parametrize("tokens", [{}, {"input": "3.00"}], ids=["alone", "beside tokens"])
def test_price_of_a_unit_stands_in_the_list(
    admin: AdminHarness, owner: Browser, unit: str, words: str, tokens: dict[str, str]
) -> None:
    admin.services.prices = PriceLists((read_price({unit: "0.04", **tokens}, id="price_3", model="vectors"),))
    for html in (owner.get("/console/models").html, signed_in(admin).get("/console/platform/models").html):
        assert re.search(rf">\$0\.04</data> <span class=\"quiet\">{words}<", html)
        assert (">$3.00</data>" in html) is bool(tokens)


@pytest.mark.parametrize(("words", "found"), [("ALPHA", True), ("quick chat", True), ("深", False), ("%", False)])
def test_search_ignores_case(owner: Browser, words: str, found: bool) -> None:
    assert ("<code>Alpha-Chat</code>" in owner.get(f"/console/models?q={words}").html) == found


def test_model_has_its_tiers_its_successor_and_a_call_to_paste(owner: Browser) -> None:
    page = owner.get("/console/models?model=Alpha-Chat")
    require_sound(page.html)
    for words in (
        "calls of more than 200,000 tokens of input",
        "$20.00",
        "$TOLLHOUSE_API_KEY",
        'data-copy="Alpha-Chat"',
    ):
        assert words in page.html
    assert "Its successor:" in owner.get("/console/models?model=beta/%E6%B7%B1:free").html
    assert "data-copy" not in owner.get("/console/models?model=hidden").html


def test_price_is_what_the_account_pays_and_use_is_its_own(admin: AdminHarness, owner: Browser) -> None:
    admin.runner.run(accounts.change(admin.services, OPERATOR, "alpha", multiplier="2"))
    admin.call("alpha-live", model="Alpha-Chat", charge=Charge(amount=3 * USD, price_id="price_1"))
    admin.call("beta-live", 2, model="vectors", charge=Charge(amount=7 * USD, price_id="price_2"))
    page = owner.get("/console/models").html
    assert "$5.00" in page
    assert "$3.00" in page
    assert "$7.00" not in page


def test_first_call_goes_to_the_cheapest_model_that_serves_it(admin: AdminHarness) -> None:
    account = admin.services.directory.accounts[admin.accounts["alpha"]]
    for patterns, operation, found in (
        ((), "chat", "Alpha-Chat"),
        (("beta*",), "chat", "beta/深:free"),
        ((), "embeddings", "vectors"),
        (("vectors",), "chat", None),
    ):
        chosen = models.for_first_call(admin.services, account, patterns, operation)  # type: ignore[arg-type]
        assert (None if chosen is None else chosen.id) == found


def test_hostile_model_is_escaped(admin: AdminHarness) -> None:
    admin.services.catalogue = Catalogue(
        models={HOSTILE: Model(id=HOSTILE, free=True, description=HOSTILE, tags=(HOSTILE,), aliases=(HOSTILE,))}
    )
    viewer = Browser(admin)
    viewer.sign_in(member(admin, "alpha", "viewer"))
    for path in ("/console/models", "/console/models?model=%22%3E%3Cscript%3Ealert(1)%3C/script%3E&q=%22%3E%3Cscript"):
        outline = Outline(viewer.get(path).html)
        assert outline.inline_scripts == 0
