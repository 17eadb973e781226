"""The vocabularies are the published ones, packed, and models count by the right one."""

import hashlib
from pathlib import Path

import pytest
import tiktoken
from tiktoken_ext import openai_public

from scripts.measure_tokens import samples
from tollhouse.tokens.vocabulary import FOLDER, VOCABULARIES, load, named_for, published


@pytest.mark.parametrize("name", VOCABULARIES)
def test_the_packed_file_gives_the_published_one_back(name: str) -> None:
    assert hashlib.sha256(published(name)).hexdigest() == VOCABULARIES[name].sha256


@pytest.mark.parametrize("name", VOCABULARIES)
def test_texts_become_the_tokens_that_the_vendor_makes_of_them(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """tiktoken's own definition, with our copy of the file where it looks before it would download one."""
    address = f"https://openaipublic.blob.core.windows.net/encodings/{name}.tiktoken"
    (tmp_path / hashlib.sha1(address.encode()).hexdigest()).write_bytes(published(name))
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    definition = openai_public.ENCODING_CONSTRUCTORS[name]()
    assert definition["pat_str"] == VOCABULARIES[name].pattern
    theirs, ours = tiktoken.Encoding(**definition), load(name)
    for text in [*samples().values(), "  two  blanks\n\n\n", "don't DON'T", "\ud800 half", "🛃🏳️‍🌈", "e\u0301\u0301"]:
        assert ours.encode_ordinary(text) == theirs.encode(text, disallowed_special=())


def test_what_is_shipped_stays_small_and_carries_its_licence() -> None:
    assert sum(file.stat().st_size for file in FOLDER.glob("*.zlib")) < 2_000_000
    notice = (FOLDER / "NOTICE").read_text(encoding="utf-8")
    assert "MIT License" in notice
    assert all(name in notice for name in VOCABULARIES)


@pytest.mark.parametrize("model", [*tiktoken.model.MODEL_TO_ENCODING, *tiktoken.model.MODEL_PREFIX_TO_ENCODING])
def test_models_count_by_the_vocabulary_their_vendor_names(model: str) -> None:
    """For the vocabularies we ship; those of 2022 and before are counted by rule."""
    vendor = {**tiktoken.model.MODEL_TO_ENCODING, **tiktoken.model.MODEL_PREFIX_TO_ENCODING}[model]
    expected = "o200k_base" if vendor == "o200k_harmony" else vendor if vendor in VOCABULARIES else None
    if model in ("gpt-4.5-", "o1-", "o3-"):
        model += "preview"
    assert named_for(model) == expected


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("openai/gpt-4o", "o200k_base"),
        ("openrouter/openai/gpt-4o-mini:free", "o200k_base"),
        ("GPT-4O", "o200k_base"),
        ("gpt-4o-2024-11-20", "o200k_base"),
        ("gpt-5.1-codex-mini", "o200k_base"),
        ("ft:gpt-4o-mini-2024-07-18:acme::abc", "o200k_base"),
        ("o3", "o200k_base"),
        ("o4-mini-deep-research", "o200k_base"),
        ("gpt-4-turbo", "cl100k_base"),
        ("gpt-4-0613", "cl100k_base"),
        ("gpt-3.5-turbo-instruct", "cl100k_base"),
        ("text-embedding-3-large", "cl100k_base"),
        ("claude-sonnet-4-5", None),
        ("gemini-2.5-pro", None),
        ("deepseek-chat", None),
        ("qwen-plus", None),
        ("o365-helper", None),
        ("gpt-neo-2.7b", None),
        ("gpt-4all", None),
        ("olmo-2", None),
        ("", None),
        ("/", None),
    ],
)
def test_a_vocabulary_is_known_by_the_name_of_the_model(model: str, expected: str | None) -> None:
    assert named_for(model) == expected
