"""The models list in the words of three dialects."""

import json

from tollhouse.core.entry import ModelEntry
from tollhouse.formats.anthropic import models as anthropic
from tollhouse.formats.gemini import models as gemini
from tollhouse.formats.openai import models as openai

FULL = ModelEntry(
    id="team/modèle:1",
    created=1_790_000_000,
    owned_by="team",
    context_tokens=128_000,
    max_output_tokens=16_384,
    prices={"input": "2.50", "output": "10.00"},
    modalities=("text", "image"),
    operations=("chat", "responses"),
    retires_at="2027-06-01",
    group="default",
    tags=("fast",),
    description="A model.",
)
BARE = ModelEntry(id="bare")
EMBEDDER = ModelEntry(id="embed", operations=("embeddings",))


def test_openai_lists_what_the_contract_names() -> None:
    listed = json.loads(openai.models([FULL, BARE]))
    assert listed == {"object": "list", "data": [json.loads(openai.model(FULL)), json.loads(openai.model(BARE))]}
    assert listed["data"][0] == {
        "id": "team/modèle:1",
        "object": "model",
        "created": 1_790_000_000,
        "owned_by": "team",
        "group": "default",
        "tags": ["fast"],
        "description": "A model.",
        "tollhouse": {
            "context_tokens": 128_000,
            "max_output_tokens": 16_384,
            "prices": {"input": "2.50", "output": "10.00"},
            "modalities": ["text", "image"],
            "retires_at": "2027-06-01",
        },
    }


def test_anthropic_lists_a_page() -> None:
    listed = json.loads(anthropic.models([FULL, BARE]))
    assert (listed["first_id"], listed["last_id"], listed["has_more"]) == ("team/modèle:1", "bare", False)
    assert listed["data"][0] == json.loads(anthropic.model(FULL))
    assert {name: listed["data"][0][name] for name in ("type", "id", "display_name", "created_at")} == {
        "type": "model",
        "id": "team/modèle:1",
        "display_name": "team/modèle:1",
        "created_at": "2026-09-21T14:13:20Z",
    }
    empty = json.loads(anthropic.models([]))
    assert empty == {"data": [], "has_more": False, "first_id": None, "last_id": None}


def test_gemini_lists_names_limits_and_methods() -> None:
    listed = json.loads(gemini.models([FULL, BARE, EMBEDDER]))
    assert listed["models"][0] == json.loads(gemini.model(FULL))
    assert listed["models"][0] == {
        "name": "models/team/modèle:1",
        "baseModelId": "team/modèle:1",
        "version": "001",
        "displayName": "team/modèle:1",
        "description": "A model.",
        "inputTokenLimit": 128_000,
        "outputTokenLimit": 16_384,
        "supportedGenerationMethods": ["generateContent", "streamGenerateContent", "countTokens"],
    }
    assert "inputTokenLimit" not in listed["models"][1]
    assert listed["models"][2]["supportedGenerationMethods"] == ["embedContent", "batchEmbedContents"]
    assert json.loads(gemini.models([], next_page_token="x")) == {"models": [], "nextPageToken": "x"}
