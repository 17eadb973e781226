"""What needs no key costs its sender nothing: beyond a pace, an address waits for it. What a key is let into waits for
nobody."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.gateway.harness import GatewayHarness, run
from tollhouse.edge.asgi import Receive, Scope, Send
from tollhouse.edge.exchange import Exchange
from tollhouse.edge.forwarded import TrustedProxies
from tollhouse.edge.new_api import PlatformInfo
from tollhouse.edge.router import Edge
from tollhouse.edge.status import Readiness
from tollhouse.limits.pace import BURST

ADDRESS = "192.0.2.7"


async def _page(scope: Scope, receive: Receive, send: Send) -> None:
    status = 401 if scope["path"] == "/api/v1/keys" else 200
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": b""})


class SilentExchange:
    """A request without a key, and an answer that nobody looks at."""

    connection = SimpleNamespace(scheme="http", client=(ADDRESS, 1), server=None)
    headers: tuple[tuple[bytes, bytes], ...] = ()
    query = b""
    http_1_0 = started = gone = False

    def __init__(self, method: str, path: str, peer: str) -> None:
        self.method, self.path, self.raw_path, self.peer = method, path, path.encode(), peer

    def begin(self, status: int, headers: Any) -> None:
        pass

    async def send(self, body: bytes, *, more: bool) -> None:
        pass

    async def send_response(self, status: int, headers: Any, body: bytes) -> None:
        pass


class Asked:
    """Requests to an edge whose clock stands still; `slept` is how long each answer was kept back, in seconds."""

    def __init__(self) -> None:
        harness = GatewayHarness()
        self.slept = harness.slept
        self._edge = Edge(
            gateway=harness.gateway,
            services=SimpleNamespace(),  # type: ignore[arg-type]
            about=PlatformInfo(),
            proxies=TrustedProxies(()),
            body_bytes_max=1024,
            upload_bytes_max=1024,
            ready=Readiness(parts=dict, generation=lambda: 1, draining=lambda: False),
            pages={"/support": _page, "/api": _page},
        )

    def __call__(self, method: str, path: str, times: int, address: str = ADDRESS) -> None:
        async def ask() -> None:
            for _ in range(times):
                await self._edge(cast(Exchange, SilentExchange(method, path, address)))

        run(ask())


@pytest.mark.parametrize(
    ("method", "path", "weight", "longest"),
    [
        ("GET", "/", 1, 2.0),
        ("HEAD", "/v1", 1, 2.0),
        ("GET", "/healthz", 1, 0.1),
        ("GET", "/readyz", 1, 0.1),
        ("OPTIONS", "/v1/chat/completions", 1, 2.0),
        ("OPTIONS", "/nowhere", 1, 2.0),
        ("GET", "/nowhere", 1, 2.0),
        ("GET", "/v1/models", 1, 2.0),  # without a key
        ("GET", "/support", 4, 2.0),
        ("GET", "/api/openapi.json", 20, 2.0),
        ("GET", "/api/v1/keys", 1, 2.0),  # 401
    ],
)
def test_what_needs_no_key_is_answered_at_a_pace(method: str, path: str, weight: int, longest: float) -> None:
    asked = Asked()
    asked(method, path, BURST // weight)
    assert asked.slept == []
    asked(method, path, 2_500 // weight)
    assert asked.slept
    assert asked.slept == sorted(asked.slept)
    assert max(asked.slept) == pytest.approx(longest, abs=0.05)
    begun = len(asked.slept)
    asked(method, path, 3, address="192.0.2.8")
    assert len(asked.slept) == begun, "another address waits for nobody"


def test_what_a_key_is_let_into_in_the_control_api_is_not_delayed() -> None:
    asked = Asked()
    asked("GET", "/api/v1/accounts", BURST * 2)
    assert asked.slept == []
