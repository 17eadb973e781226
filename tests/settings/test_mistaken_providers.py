"""Providers that are set up wrongly: what is wrong is named, with what to write instead."""

import pytest

from tests.settings.test_where_it_was_written import read_text

_A, _O, _G = "sk-ant-api03-x", "sk-proj-x", "AIzaSyA"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ('kind = "bedrock"', 'needs a base_url, such as "https://bedrock-runtime.us-east-1.amazonaws.com"'),
        ('kind = "azure_openai"', 'needs a base_url, such as "https://RESOURCE.openai.azure.com"'),
        ('kind = "vertex"', 'such as "https://us-central1-aiplatform.googleapis.com/v1/projects/PROJECT/locations/'),
        ('kind = "vllm"', 'needs a base_url, such as "http://127.0.0.1:8000/v1"'),
        ('kind = "openai_compatible"', 'needs a base_url, such as "https://provider.example/v1"'),
        (
            'kind = "bedrock"\nbase_url = "https://bedrock-runtime.amazonaws.com"',
            "it names no region of AWS: write it as in https://bedrock-runtime.us-east-1.amazonaws.com",
        ),
        (
            'kind = "bedrock_mantle"\nbase_url = "https://bedrock-mantle.api.aws/v1"',
            "it names no region of AWS: write it as in https://bedrock-mantle.us-east-1.api.aws",
        ),
        (
            'kind = "bedrock_invoke"\nbase_url = "https://bedrock.eu-west-1.amazonaws.com"',
            "models are managed there, and not called: write https://bedrock-runtime.eu-west-1.amazonaws.com",
        ),
        (
            'kind = "vertex"\nbase_url = "https://us-central1-aiplatform.googleapis.com"',
            "it names no project and no location: write https://us-central1-aiplatform.googleapis.com/v1/projects/",
        ),
        ('kind = "ollama"\nbase_url = "localhost:11434"', 'write "http://localhost:11434/v1", or https:// with TLS'),
        ('kind = "vertex"\nregion = "us"', "unknown key; it stands in base_url"),
        ('kind = "azure_openai"\ndeployment = "x"', "unknown key; it is the `model` of an offer"),
        ('kind = "azure_openai"\napi_version = "x"', "as in NAME?api-version=VERSION"),
        ('kind = "openai"\ncolour = "x"', "unknown key; known: kind, base_url, api_keys"),
    ],
)
def test_a_mistake_is_named_with_its_cure(fields: str, said: str) -> None:
    told = [str(one) for one in read_text(f"[providers.x]\n{fields}\n").mistakes]
    assert any(said in one for one in told), told


@pytest.mark.parametrize(
    ("fields", "key", "said"),
    [
        ('kind = "anthropic"', _O, "key 1 begins as a key of OpenAI does: this provider is Anthropic"),
        ('kind = "gemini"', _A, "key 1 begins as a key of Anthropic does: this provider is Google Gemini"),
        ('kind = "openai"', _G, "key 1 begins as a key of Google does: this provider is OpenAI"),
        ('kind = "openai"', _O, ""),
        ('kind = "gemini"', _G, ""),
        ('kind = "openai"\nbase_url = "https://api.anthropic.com/v1"', _A, ""),
        ('kind = "openai"\nbase_url = "https://relay.example/v1"', _G, ""),
        ('kind = "azure_openai"\nbase_url = "https://x.openai.azure.com"', _G, ""),
        (
            'kind = "anthropic"\nbase_url = "https://api.openai.com/v1"',
            _A,
            "this is the address of OpenAI, which speaks otherwise: write kind = 'openai', or the address of Anthropic",
        ),
        ('kind = "gemini"\nbase_url = "https://api.anthropic.com"', _G, "this is the address of Anthropic"),
        ('kind = "anthropic"\nbase_url = "https://api.deepseek.com/anthropic"', "sk-x", ""),
        ('kind = "openai_compatible"\nbase_url = "https://generativelanguage.googleapis.com/v1beta/openai"', _G, ""),
    ],
)
def test_what_belongs_to_another_vendor_is_told_and_not_refused(fields: str, key: str, said: str) -> None:
    found = read_text(f'[providers.x]\n{fields}\napi_keys = ["{key}"]\n')
    assert found.mistakes == ()
    told = [one.message for one in found.warnings]
    assert all(key not in one for one in told)
    assert [one for one in told if said in one] if said else told == []


@pytest.mark.parametrize("written", ["", "/", "/v1", "/api", "/api/chat", "/api/generate", "/v1/chat/completions"])
def test_ollama_is_reached_by_whichever_of_its_addresses(written: str) -> None:
    found = read_text(f'[providers.x]\nkind = "ollama"\nbase_url = "http://localhost:11434{written}"\n')
    assert found.catalogue.providers["x"].base_url == "http://localhost:11434/v1"


def test_an_offer_in_short_is_told_how_it_is_written() -> None:
    (mistake,) = read_text('[models.m]\nfree = true\noffers = ["x/deepseek-chat"]\n').mistakes
    assert mistake.message == 'each entry is a table such as { provider = "main", model = "gpt-4o" }'
