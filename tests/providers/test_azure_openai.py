"""How Azure is called: by the model in the body, or by a deployment in the path and a version."""

import pytest

from tollhouse.core.catalogue import Provider
from tollhouse.core.operation import Operation
from tollhouse.providers import base_url, kinds

KIND = kinds()["azure_openai"]
HOST = "https://house.openai.azure.com"


@pytest.mark.parametrize(
    "written",
    [
        HOST,
        f"{HOST}/",
        f"{HOST}/openai",
        f"{HOST}/openai/v1",
        f"{HOST}/openai/v1/",
        f"{HOST}/openai/v1/chat/completions",
        f"{HOST}/openai/deployments/gpt-4o",
        f"{HOST}/openai/deployments/gpt-4o/chat/completions",
        f"{HOST}/openai/deployments",
    ],
)
def test_any_address_that_azure_shows_is_the_same(written: str) -> None:
    assert base_url.read(KIND, written).base_url == f"{HOST}/openai"
    assert base_url.read(KIND, f"{HOST}/openai").base_url == f"{HOST}/openai"


@pytest.mark.parametrize(
    ("operation", "model", "path", "wire"),
    [
        ("chat", "gpt-4o", "/v1/chat/completions", "openai_chat"),
        ("responses", "gpt-4o", "/v1/responses", "openai_responses"),
        ("completions", "gpt-35", "/v1/completions", "openai_completions"),
        ("embeddings", "e-3", "/v1/embeddings", "openai_embeddings"),
        (
            "chat",
            "gpt-4o?api-version=2024-10-21",
            "/deployments/gpt-4o/chat/completions?api-version=2024-10-21",
            "openai_chat",
        ),
        (
            "responses",
            "gpt-4o?api-version=2025-04-01-preview",
            "/deployments/gpt-4o/chat/completions?api-version=2025-04-01-preview",
            "openai_chat",
        ),
        (
            "embeddings",
            "e 3?api-version=2024-10-21",
            "/deployments/e%203/embeddings?api-version=2024-10-21",
            "openai_embeddings",
        ),
        ("chat", "gpt?api-version=a&b=c", "/v1/chat/completions", "openai_chat"),
        ("chat", "gpt?api-version=preview", "/v1/chat/completions?api-version=preview", "openai_chat"),
        ("responses", "gpt?api-version=latest", "/v1/responses?api-version=latest", "openai_responses"),
        ("images", "draw", "/v1/images/generations", "openai_images"),
        ("image_edits", "draw", "/v1/images/edits", "openai_image_edits"),
        ("speech", "say?api-version=v1", "/v1/audio/speech?api-version=v1", "openai_speech"),
        (
            "images",
            "draw?api-version=2024-10-21",
            "/deployments/draw/images/generations?api-version=2024-10-21",
            "openai_images",
        ),
        (
            "speech",
            "say?api-version=2024-10-21",
            "/deployments/say/audio/speech?api-version=2024-10-21",
            "openai_speech",
        ),
        (
            "transcriptions",
            "hear?api-version=2024-10-21",
            "/deployments/hear/audio/transcriptions?api-version=2024-10-21",
            "openai_transcriptions",
        ),
        ("translations", "hear", "/v1/audio/translations", "openai_translations"),
    ],
)
def test_the_models_name_says_in_which_way(operation: Operation, model: str, path: str, wire: str) -> None:
    target = KIND.target(operation, model, True, KIND.speaks)
    assert target is not None
    assert (target.path, target.format) == (path, wire)


def test_what_it_has_not_is_not_asked_for() -> None:
    assert KIND.target("moderations", "m?api-version=1", False, KIND.speaks) is None
    assert KIND.target("moderations", "m", False, KIND.speaks) is None
    assert KIND.target("chat", "m?api-version=1", False, ()) is None
    assert KIND.target("transcriptions", "m?api-version=preview", False, KIND.speaks) is None, "a form names the model"


def test_the_newer_path_reads_the_deployment_from_the_body() -> None:
    target = KIND.target("chat", "gpt?api-version=preview", False, KIND.speaks)
    assert target is not None
    assert target.members == {"model": b'"gpt"'}


def test_the_key_stands_in_its_own_header() -> None:
    sent = dict(KIND.make_headers("k-1", Provider(id="a", kind="azure_openai"), [(b"api-key", b"callers")]))
    assert sent[b"api-key"] == b"k-1"
    assert b"authorization" not in sent
