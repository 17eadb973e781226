"""The platform as its people see it: two providers, a model with an offer at each, a price list, a running gateway."""

from tests.admin.harness import AdminHarness
from tests.console.harness import Browser, of_platform
from tests.gateway.harness import GatewayHarness
from tollhouse.billing.price_list import PriceLists
from tollhouse.billing.prices import read_price
from tollhouse.core.catalogue import Catalogue, Model, Offer, PriceList, Provider
from tollhouse.core.examination import CheckResult, DoctorReport
from tollhouse.gateway.running import RunningPlatform

PROVIDER_ONE = Provider(
    id="one",
    kind="openai_compatible",
    base_url="https://one.example/v1",
    api_keys=("env:ONE",),
    cost={"up-one": {"input": "3.00", "output": "9.00"}},
)
PROVIDERS = {
    "one": PROVIDER_ONE,
    "two": Provider(id="two", kind="openai_compatible", base_url="https://two.example/v1", api_keys=("env:TWO",)),
}
OFFERS = (Offer(provider="one", model="up-one"), Offer(provider="two", model="up-two", priority=1))
PRICED: PriceList = {"input": "2.50", "output": "10.00"}
MODELS = {
    "house-1": Model(id="house-1", offers=OFFERS, price=PRICED),
    "house-2": Model(id="house-2", offers=OFFERS[1:]),
    "gift": Model(id="gift", offers=OFFERS[1:], free=True),
}


def report() -> DoctorReport:
    bad = CheckResult(id="disk", title="Disk room", state="red", reason="2 % is free", cure="make room")
    return DoctorReport(ok=False, checks=(bad,))


def furnished(admin: AdminHarness) -> GatewayHarness:
    """The services of `admin` get the catalogue, and the gateway stands beside."""
    gateway = GatewayHarness()
    admin.services.catalogue = Catalogue(generation=4, providers=PROVIDERS, models=MODELS)
    admin.services.prices = PriceLists([read_price(PRICED, id="price_1", model="house-1")])
    return gateway


def calling(admin: AdminHarness, gateway: GatewayHarness) -> None:
    """Calls of the keys of `admin` go through the gateway, and are written down where receipts are read."""
    inner = gateway.gateway
    inner.keys, inner.ledger, inner.random, inner.clock = (
        admin.services.directory,
        admin.store.writer,
        admin.random,
        admin.clock,
    )
    gateway.counters.put_money(admin.accounts["alpha"], None)


def running(gateway: GatewayHarness) -> RunningPlatform:
    return RunningPlatform(
        gateway=gateway.gateway,
        version="9.9",
        started_ms=1_700_000_000_000,
        depths=lambda: {"writer": 3},
        free_bytes=lambda: 5_000_000_000,
        examine=report,
    )


def signed_in(admin: AdminHarness, gateway: GatewayHarness | None = None, role: str = "operator") -> Browser:
    browser = Browser(admin, running=None if gateway is None else running(gateway))
    browser.sign_in(of_platform(admin, role))
    browser.get("/console/platform/accounts")
    return browser
