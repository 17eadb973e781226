"""The header that names what did not go on: callers wrote these names."""

import pytest

from tests.gateway.fakes import FakeCallerConnection, FakeUpstream
from tests.gateway.harness import GatewayHarness, asking, buffered, run


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("a\r\nset-cookie: x\r\n\r\nmodel", b"a%0D%0Aset-cookie: x%0D%0A%0D%0Amodel"),
        ("\0model", b"%00model"),
        ("\x7f\u2028é model", b"%7F%E2%80%A8%C3%A9 model"),
        ("a, b model", b"a%2C b model"),
        ("x" * 9_000 + "model", b"x" * 64),
    ],
)
def test_a_name_that_a_caller_wrote_does_not_leave_the_line_of_its_header(name: str, told: bytes) -> None:
    harness = GatewayHarness(first=FakeUpstream(buffered()), money=10**9)
    client = FakeCallerConnection(asking(**{name: "other"}))
    run(harness.ask(client))
    assert (b"x-tollhouse-dropped", told) in client.headers


def test_of_many_names_a_header_tells_a_few() -> None:
    harness = GatewayHarness(first=FakeUpstream(buffered()), money=10**9)
    client = FakeCallerConnection(asking(**{f"{number}_model": "other" for number in range(200)}))
    run(harness.ask(client))
    told = client.header(b"x-tollhouse-dropped").split(b", ")
    assert (told[0], told[-1], len(told)) == (b"0_model", b"...", 11)
