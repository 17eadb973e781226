"""Which endpoint a path means, and which dialect an error on it is told in."""

import pytest

from tollhouse.edge.paths import ACTIONS, ENDPOINTS, action, canonical, dialect_of, find, is_action, model_of


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/v1/chat/completions", "/v1/chat/completions"),
        ("/chat/completions", "/v1/chat/completions"),
        ("//chat//completions//", "/v1/chat/completions"),
        ("/v1/v1/v1/chat/completions", "/v1/chat/completions"),
        ("/completions", "/v1/completions"),
        ("/responses/", "/v1/responses"),
        ("/v1/models/", "/v1/models"),
        ("/models", "/v1/models"),
        ("/models/", "/v1/models"),
        ("//v1beta//models/", "/v1beta/models"),
        ("/v1//models/x", "/v1/models/x"),
        ("/v1/models/a//b/", "/v1/models/a//b/"),
        ("/v1/models//a", "/v1/models//a"),
        ("/v1/models/models/x", "/v1/models/models/x"),
        ("/key", None),
        ("/V1/models", None),
        ("/v1/../v1/models", None),
        ("/v1/./models", None),
        ("/x/v1/models", None),
        ("/v1/v1", None),
        ("/v1beta/v1beta/models", "/v1beta/models"),
        ("/v1/v1beta/models/x", "/v1beta/models/x"),
        ("/v1beta/v1/models", "/v1/models"),
        ("/v1alpha/models", "/v1beta/models"),
        ("/v1beta1/publishers/google/models/x", "/v1beta/models/x"),
        ("/v1/projects/p/locations/l/publishers/google/models/x", "/v1beta/models/x"),
        ("/v1/projects/p/locations/l/models/x", None),
        ("/v1gamma/models", None),
        ("/v1beta/modelsx", None),
        ("/v1/chat", None),
        ("/v1/chat/completions/x", None),
        ("/completionsx", None),
        ("", None),
        ("/", None),
        ("*", None),
    ],
)
def test_a_path_is_repaired_where_people_mistype_base_urls_and_nowhere_else(path: str, found: str | None) -> None:
    endpoint = find(path)
    assert (None if endpoint is None else endpoint.path) == found


@pytest.mark.parametrize("name", sorted(ACTIONS))
def test_only_a_known_action_is_no_part_of_a_model_s_name(name: str) -> None:
    for start in ("/v1/models/", "/v1beta/models/"):
        assert is_action("POST", f"{start}gpt-4o:{name}")
        assert is_action("POST", f"/v1{start}org/x:free:{name}") or "beta" in start
        for method, path in (("GET", f"{start}gpt-4o:{name}"), ("POST", f"/v1/chat/x:{name}"), ("POST", start)):
            assert not is_action(method, path)
        found = find(f"{start}gpt-4o:{name}")
        assert found is not None
        assert (found.name, found.methods) == ("model", ("GET", "HEAD"))
        assert dialect_of(f"{start}gpt-4o:{name}") == "gemini"
        assert model_of(f"{start}gpt-4o:{name.upper()}") == f"gpt-4o:{name.upper()}"
        assert find(f"{start}gpt-4o:{name}x") is not None


@pytest.mark.parametrize(
    ("path", "model", "stream"),
    [
        ("/v1beta/models/gemini-2.5-pro:generateContent", "gemini-2.5-pro", False),
        ("/v1beta/models/gemini-2.5-pro:streamGenerateContent", "gemini-2.5-pro", True),
        ("/v1/models/org/x:free:generateContent", "org/x:free", False),
        ("/v1/v1/models/模型:streamGenerateContent", "模型", True),
        ("/v1/v1beta/models/x:generateContent", "x", False),
        ("/v1alpha/models/x:generateContent", "x", False),
        ("/v1beta1/publishers/google/models/x:streamGenerateContent", "x", True),
        ("/v1beta1/projects/p/locations/global/publishers/google/models/org/x:generateContent", "org/x", False),
    ],
)
def test_an_action_names_its_model_and_whether_a_stream_is_asked_for(path: str, model: str, stream: bool) -> None:
    asked = action(path)
    assert asked is not None
    assert (asked.dialect, asked.operation, asked.model, asked.stream) == ("gemini", "chat", model, stream)
    assert action("/v1beta/models/gemini-2.5-pro:predict") is None
    assert action("/v1beta/models/:generateContent") is None


@pytest.mark.parametrize("path", sorted(ENDPOINTS))
def test_an_endpoint_is_its_own_canonical_path_and_speaks_its_own_dialect(path: str) -> None:
    assert canonical(path) == path
    assert dialect_of(path) == ENDPOINTS[path].dialect or path == "/v1beta/models"
