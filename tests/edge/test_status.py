"""Small public answers: is it alive, is it ready, what is here; and what becomes of them while the process leaves."""

import signal

import pytest

from tests.edge.wire_client import RawClient, get
from tests.security.platform_process import DemoPlatform
from tollhouse.edge.paths import ENDPOINTS, action

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/"])
def test_a_browser_is_led_to_the_console_and_a_program_to_the_endpoints(platform: DemoPlatform, path: str) -> None:
    for headers in ({}, {"Accept": "*/*"}, {"Accept": "application/json"}):
        reply = platform.ask("GET", path, headers)
        assert reply.status == 200
        paths = [each["path"] for each in reply.json["endpoints"]]
        assert paths[: len(ENDPOINTS)] == list(ENDPOINTS)
        actions = paths[len(ENDPOINTS) :]
        assert "/v1beta/models/{model}:streamGenerateContent" in actions
        assert all(action(each.format(model="gpt-4o")) is not None for each in actions)
        assert reply.headers["vary"] == "accept"
    led = platform.ask("GET", path, {**BROWSER, "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"})
    assert (led.status, led.headers["location"]) == (302, "/console/")
    assert led.headers["vary"] == "accept"
    for headers in ({}, BROWSER):
        head = platform.ask("HEAD", path, headers)
        assert (head.status, head.body) == (200, b"")


@pytest.mark.parametrize("path", ["/", "/console", "/console/token", "/support/"])
@pytest.mark.parametrize("host", ["toll.example", "evil.example:1", "localhost"])
def test_a_redirect_names_no_host(platform: DemoPlatform, path: str, host: str) -> None:
    forged = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
    reply = platform.ask("GET", path, {**BROWSER, **forged}, host=host)
    assert reply.status in (302, 303, 307, 308)
    assert reply.headers["location"].startswith("/")
    assert not reply.headers["location"].startswith("//")


@pytest.mark.parametrize("start", ["", "/v1"])
def test_it_is_alive_and_ready_and_tells_its_configuration(platform: DemoPlatform, start: str) -> None:
    assert platform.get(f"{start}/healthz").json == {"status": "ok"}
    ready = platform.get(f"{start}/readyz")
    assert ready.status == 200
    assert ready.json["status"] == "ready"
    assert ready.json["generation"] >= 1
    assert ready.json["parts"] == {"database": True, "configuration": True}
    assert ready.headers["cache-control"] == "no-store"


def test_while_it_leaves_it_is_alive_but_not_ready(tmp_path_factory: pytest.TempPathFactory) -> None:
    leaving = DemoPlatform(
        tmp_path_factory.mktemp("leaving") / "demo", environment={"TOLLHOUSE_LAME_DUCK_SECONDS": "60"}
    )
    assert leaving.get("/readyz").status == 200
    leaving.process.send_signal(signal.SIGTERM)
    while (reply := leaving.get("/readyz")).status == 200:
        pass  # the signal is on its way
    assert reply.status == 503
    assert reply.json["status"] == "draining"
    assert reply.error["code"] == "overloaded"
    assert reply.headers["retry-after"] == "1"
    assert leaving.get("/healthz").status == 200
    refused = leaving.post("/v1/chat/completions", leaving.facts["api_key"], {})
    assert refused.verdict == (503, "overloaded")
    assert int(refused.headers["retry-after"]) >= 1
    assert refused.headers["connection"] == "close"
    assert refused.headers["access-control-allow-origin"] == "*"
    with RawClient(leaving.metrics_port) as wire:
        answer = wire.send(get(b"/metrics")).answer()
    assert answer is not None
    assert answer.status == 200
    leaving.close()  # the second signal
    assert leaving.process.returncode == 0
