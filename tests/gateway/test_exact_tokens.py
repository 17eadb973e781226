"""Bytes bound a text dearly: where they do not fit and the vocabulary is at hand, exact tokens are held for."""

import asyncio

import pytest

from tests.gateway.fakes import FakeCallerConnection, FakeUpstream, Words, identity
from tests.gateway.harness import LIVE, GatewayHarness, answer, asking, buffered, run
from tollhouse.core.failure import Failure, InsufficientQuota, MaxCostExceeded
from tollhouse.core.model_request import COUNTED_BYTES_MAX
from tollhouse.gateway.explain import Explanation, explain

CAP = 12
TEXT = "the keeper of the tollhouse weighs every cart that passes " * 20 + "slowly"
BODY = asking(max_tokens=CAP, messages=[{"role": "user", "content": TEXT}])
TOKENS = len(TEXT.split()) + 3  # with the JSON around it
EXACT = TOKENS * 2500 + CAP * 10_000
BY_BYTES = len(BODY) * 2500 + CAP * 10_000


class KnownTokens(Words):
    """A token a word, of every model; `asked`: how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    def exact(self, model: str) -> bool:
        return True

    async def prepare(self, model: str) -> None:
        pass

    async def count_aside(self, text: str, model: str, account_id: str) -> int:
        self.asked += 1
        return self.count(text, model)


def harness(money: int, count: Words) -> GatewayHarness:
    used = {"prompt_tokens": TOKENS, "completion_tokens": CAP, "total_tokens": TOKENS + CAP}
    made = GatewayHarness(first=FakeUpstream(buffered(answer(usage=used))), money=money, model={"context_tokens": 8000})
    made.gateway.count = count
    return made


def explained(made: GatewayHarness, **headers: str) -> Explanation:
    given = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return asyncio.run(explain(made.gateway, identity(LIVE), "chat", given, BODY))


def test_a_call_that_fits_by_its_exact_tokens_is_let_in_and_spends_all_there_is() -> None:
    made = harness(EXACT, KnownTokens())
    assert explained(made).failure is None
    run(made.ask(FakeCallerConnection(BODY)))
    charge = made.record.charge
    assert charge is not None
    assert (charge.held, charge.amount, charge.overrun) == (EXACT, EXACT, 0)


def test_a_nano_dollar_less_is_too_little_all_the_same() -> None:
    made = harness(EXACT - 1, KnownTokens())
    assert isinstance(explained(made).failure, InsufficientQuota)
    with pytest.raises(InsufficientQuota):
        run(made.ask(FakeCallerConnection(BODY)))
    assert made.counter.held == 0


def test_a_call_that_fits_by_its_bytes_is_not_counted() -> None:
    count = KnownTokens()
    made = harness(BY_BYTES, count)
    run(made.ask(FakeCallerConnection(BODY)))
    assert made.record.charge is not None
    assert made.record.charge.held == BY_BYTES
    assert count.asked == 0


def test_where_not_even_the_answer_can_be_paid_nothing_is_counted() -> None:
    count = KnownTokens()
    made = harness(CAP * 10_000 - 1, count)
    with pytest.raises(InsufficientQuota):
        run(made.ask(FakeCallerConnection(BODY)))
    assert count.asked == 0


def test_a_text_of_megabytes_is_not_counted_for_who_cannot_pay_its_bytes() -> None:
    """Else whoever has little money keeps the counting thread busy, for nothing."""
    count = KnownTokens()
    body = asking(max_tokens=CAP, messages=[{"role": "user", "content": "toll " * (COUNTED_BYTES_MAX // 5)}])
    made = harness(EXACT, count)
    with pytest.raises(InsufficientQuota):
        run(made.ask(FakeCallerConnection(body)))
    assert count.asked == 0


def test_an_estimate_is_no_bound() -> None:
    made = harness(EXACT, Words())
    with pytest.raises(InsufficientQuota):
        run(made.ask(FakeCallerConnection(BODY)))


def test_input_that_lies_elsewhere_is_held_for_its_context_whatever_its_text_counts() -> None:
    made = harness(EXACT, KnownTokens())
    body = asking(max_tokens=CAP, messages=[{"role": "user", "content": TEXT}], session_id="s")
    with pytest.raises(InsufficientQuota):
        run(made.ask(FakeCallerConnection(body)))


@pytest.mark.parametrize(("most", "failure"), [("0.00063", type(None)), ("0.00062", MaxCostExceeded)])
def test_what_a_call_may_cost_at_most_is_judged_by_exact_tokens_too(most: str, failure: type[Failure | None]) -> None:
    made = harness(10**9, KnownTokens())
    assert isinstance(explained(made, x_tollhouse_max_cost_usd=most).failure, failure)
