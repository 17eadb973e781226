"""`/v1/models` for the libraries of three vendors, and model names as people give them."""

from urllib.parse import quote

import pytest

from tests.edge.odd_models import NAMES
from tests.security.platform_process import DemoPlatform

GOOGLE = ({"x-goog-api-client": "google-genai-sdk/3.6.1"}, {"x-goog-api-key": "KEY"})


def _raw(name: str) -> bytes:
    """As a client writes it that encodes only what would end the path."""
    return name.replace("%", "%25").replace("?", "%3F").replace("#", "%23").replace(" ", "%20").encode()


@pytest.mark.parametrize("name", NAMES)
def test_a_model_is_found_by_its_name_however_that_is_encoded(platform: DemoPlatform, name: str) -> None:
    key = {"Authorization": f"Bearer {platform.facts['api_key']}"}
    for start in (b"/v1/models/", b"/models/", b"/v1beta/models/", b"//v1/models/", b"/v1/v1/models/", b"/v1//models/"):
        for spelled in (_raw(name), quote(name, safe="").encode(), quote(name, safe="/:").encode()):
            reply = platform.ask("GET", start + spelled, key)
            assert reply.status == 200, start + spelled
            shown = reply.json["name"].removeprefix("models/") if b"beta" in start else reply.json["id"]
            assert shown == name
    assert name in [model["id"] for model in platform.get("/v1/models", platform.facts["api_key"]).json["data"]]


def test_names_are_told_apart_to_the_letter(platform: DemoPlatform) -> None:
    key = platform.facts["api_key"]
    for name in ("ORG/MODEL", "org//model", "org/model/", "a/b", "ends", quote("E\N{COMBINING ACUTE ACCENT}")):
        assert platform.get(f"/v1/models/{name}", key).verdict == (404, "model_not_found")
    assert "org/model" in platform.get("/v1/models/ORG/MODEL", key).error["message"]


def test_openai_asks(platform: DemoPlatform) -> None:
    reply = platform.get("/v1/models", platform.facts["api_key"])
    assert set(reply.json) >= {"object", "data"}
    assert reply.json["object"] == "list"
    for model in reply.json["data"]:
        assert set(model) == {"id", "object", "created", "owned_by", "group", "tags", "description", "tollhouse"}
        assert platform.get("/v1/models/" + quote(model["id"], safe=""), platform.facts["api_key"]).json == model
    assert "gone" not in [model["id"] for model in reply.json["data"]]


def test_anthropic_asks(platform: DemoPlatform) -> None:
    headers = {"anthropic-version": "2023-06-01", "x-api-key": platform.facts["api_key"]}
    reply = platform.ask("GET", "/v1/models?limit=1000", headers)
    assert {"data", "has_more", "first_id", "last_id"} <= set(reply.json)
    assert {model["type"] for model in reply.json["data"]} == {"model"}
    item = platform.ask("GET", "/v1/models/gpt-4o", headers)
    assert (item.json["type"], item.json["id"]) == ("model", "gpt-4o")
    missing = platform.ask("GET", "/v1/models/nowhere", headers)
    assert (missing.status, missing.json["type"], missing.error["type"]) == (404, "error", "not_found_error")
    stranger = platform.ask("GET", "/v1/models", {"anthropic-version": "2023-06-01"})
    assert (stranger.status, stranger.error["type"]) == (401, "authentication_error")


@pytest.mark.parametrize("start", ["/v1beta/models", "/v1/models", "/models"])
@pytest.mark.parametrize("sent", GOOGLE)
def test_google_asks_on_either_path(platform: DemoPlatform, start: str, sent: dict[str, str]) -> None:
    key = platform.facts["api_key"]
    headers = {"x-goog-api-key": key, **{name: value.replace("KEY", key) for name, value in sent.items()}}
    reply = platform.ask("GET", f"{start}?pageSize=50", headers)
    assert "models/gpt-4o" in [model["name"] for model in reply.json["models"]]
    assert platform.ask("GET", f"{start}/gpt-4o", headers).json["name"] == "models/gpt-4o"
    missing = platform.ask("GET", f"{start}/nowhere", headers)
    assert (missing.status, missing.error["status"], missing.error["code"]) == (404, "NOT_FOUND", 404)
    stranger = platform.ask("GET", start, {"x-goog-api-client": "genai", "x-goog-api-key": "AIza-somebody-elses"})
    assert (stranger.status, stranger.error["status"]) == (401, "UNAUTHENTICATED")


def test_a_key_in_the_query_is_google_s_way_alone(platform: DemoPlatform) -> None:
    query = f"?key={platform.facts['api_key']}"
    assert platform.get("/v1beta/models" + query).status == 200
    assert platform.get("/v1/models" + query, headers={"x-goog-api-client": "genai"}).status == 200
    refused = platform.get("/v1/models" + query)
    assert refused.status == 401
    assert "?key=" in refused.error["message"]


@pytest.mark.parametrize("query", ["?limit=1", "?limit=x", "?after=gpt-4o&limit=2", "?", "?%ff", "?limit=1&limit=2"])
def test_what_is_asked_besides_is_accepted(platform: DemoPlatform, query: str) -> None:
    assert platform.get("/v1/models" + query, platform.facts["api_key"]).status == 200


def test_a_list_is_what_this_key_may_call_and_nothing_else(platform: DemoPlatform) -> None:
    key = platform.key("narrow-list", models=["org/*", "gpt-4o"])
    names = [model["id"] for model in platform.get("/v1/models", key).json["data"]]
    assert sorted(names) == ["gpt-4o", "org/model", "org/team/model:free"]
    for name in NAMES:
        body = {"model": name, "messages": [{"role": "user", "content": "x"}]}
        expected = (200, "") if name in names else (403, "model_not_allowed")
        assert platform.post("/v1/chat/completions", key, body).verdict == expected
        assert platform.ask("GET", b"/v1/models/" + _raw(name), {"x-api-key": key}).verdict == expected


def test_a_model_with_a_date_says_so_and_one_that_is_gone_names_its_successor(platform: DemoPlatform) -> None:
    key = platform.facts["api_key"]
    for path in ("/v1/models/dated", "/v1/models/old/dated"):
        reply = platform.get(path, key)
        assert "2099" in reply.headers["sunset"]
        assert reply.headers["deprecation"].startswith("@")
        assert reply.json["id"] == "dated"
    gone = platform.get("/v1/models/gone", key)
    assert gone.verdict == (404, "model_not_found")
    assert "org/model" in gone.error["message"]


def test_caches_keep_the_three_lists_and_the_keys_apart(platform: DemoPlatform) -> None:
    reply = platform.get("/v1/models", platform.facts["api_key"])
    assert reply.headers["cache-control"] == "no-store"
    assert {"anthropic-version", "x-goog-api-key", "x-goog-api-client"} <= set(reply.headers["vary"].split(", "))
