"""Names to models: aliases, what was probably meant, what is not allowed, what has retired."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollhouse.core.catalogue import Catalogue, Model
from tollhouse.core.failure import BadRequest, ModelNotAllowed, ModelNotFound
from tollhouse.routing.resolve import callable_models, is_retired, resolve, retirement_headers

NOW_MS = 1_790_000_000_000  # 2026-09-21
NOON_OF_DATE_MS = 1_780_272_000_000 + 43_200_000  # 2026-06-01T12:00Z


def catalogue(*models: Model) -> Catalogue:
    return Catalogue(models={model.id: model for model in models})


def everything(model: Model) -> bool:
    return True


HOUSE = catalogue(
    Model(id="gpt-4o", aliases=("gpt-4o-latest",)),
    Model(id="gpt-4o-mini"),
    Model(id="Qwen/Qwen3-32B"),
    Model(id="模型-税关:free"),
    Model(id="embed-1", operations=("embeddings",)),
    Model(id="staff-only-9"),
)


def no_staff(model: Model) -> bool:
    return model.id != "staff-only-9"


@pytest.mark.parametrize(
    ("name", "found"),
    [("gpt-4o", "gpt-4o"), ("gpt-4o-latest", "gpt-4o"), ("Qwen/Qwen3-32B", "Qwen/Qwen3-32B"), ("模型-税关:free",) * 2],
)
def test_ids_and_aliases(name: str, found: str) -> None:
    assert resolve(HOUSE, name, everything, NOW_MS).id == found


def test_an_id_goes_before_an_alias_of_the_same_name() -> None:
    house = catalogue(Model(id="a", aliases=("b",)), Model(id="b"))
    assert resolve(house, "b", everything, NOW_MS).id == "b"


def test_of_an_alias_that_two_models_claim_the_first_holds() -> None:
    house = catalogue(Model(id="a", aliases=("x",)), Model(id="b", aliases=("x",)))
    assert resolve(house, "x", everything, NOW_MS).id == "a"


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("GPT-4O", "gpt-4o"),
        ("gpt-4o ", "gpt-4o"),
        ("gpt4o", "gpt-4o"),
        ("gpt-40", "gpt-4o"),
        ("gpt-4o-mni", "gpt-4o-mini"),
        ("openai/gpt-4o", "gpt-4o"),
        ("qwen3-32b", "Qwen/Qwen3-32B"),
        ("qwen/qwen3-32b", "Qwen/Qwen3-32B"),
        ("gpt-4o-lates", "gpt-4o-latest"),
    ],
)
def test_an_unknown_name_is_answered_with_what_was_probably_meant(name: str, meant: str) -> None:
    with pytest.raises(ModelNotFound, match=rf"Did you mean {meant}\?") as caught:
        resolve(HOUSE, name, everything, NOW_MS)
    assert caught.value.param == "model"


@pytest.mark.parametrize("name", ["", "zzzzzz", "x" * 10_000, "税", "\x00\n"])
def test_a_name_like_no_other_is_pointed_to_the_list(name: str) -> None:
    with pytest.raises(ModelNotFound, match="GET /v1/models") as caught:
        resolve(HOUSE, name, everything, NOW_MS)
    assert len(caught.value.message) < 300


def test_models_a_key_may_not_call_are_never_suggested() -> None:
    with pytest.raises(ModelNotFound) as caught:
        resolve(HOUSE, "staff-only-8", no_staff, NOW_MS)
    assert "staff-only-9" not in caught.value.message


def test_a_model_that_exists_and_is_not_allowed_is_403() -> None:
    with pytest.raises(ModelNotAllowed) as caught:
        resolve(HOUSE, "staff-only-9", no_staff, NOW_MS)
    assert caught.value.param == "model"


def test_a_key_pasted_as_model_is_not_repeated() -> None:
    with pytest.raises(ModelNotFound) as caught:
        resolve(HOUSE, "sk-canary-canary", everything, NOW_MS)
    assert "canary" not in caught.value.message


def test_a_model_asked_for_what_it_does_not_serve_is_400() -> None:
    assert resolve(HOUSE, "embed-1", everything, NOW_MS, "embeddings").id == "embed-1"
    assert resolve(HOUSE, "gpt-4o", everything, NOW_MS, "chat").id == "gpt-4o"
    with pytest.raises(BadRequest, match="serves embeddings") as caught:
        resolve(HOUSE, "embed-1", everything, NOW_MS, "chat")
    assert caught.value.param == "model"


OLD = Model(id="old", aliases=("older",), retires_at="2026-06-01", successor="new")


def test_a_model_serves_until_the_first_moment_of_its_date() -> None:
    midnight_ms = NOON_OF_DATE_MS - 43_200_000
    house = catalogue(OLD)
    assert resolve(house, "old", everything, midnight_ms - 1) is OLD
    assert not is_retired(OLD, midnight_ms - 1)
    assert is_retired(OLD, midnight_ms)


@pytest.mark.parametrize("name", ["old", "older"])
def test_a_retired_model_is_404_and_names_its_successor(name: str) -> None:
    with pytest.raises(ModelNotFound, match="retired on 2026-06-01; its successor is new"):
        resolve(catalogue(OLD, Model(id="new")), name, everything, NOON_OF_DATE_MS)


def test_a_retired_model_without_successor_says_so_by_silence() -> None:
    with pytest.raises(ModelNotFound, match=r"retired on 2026-06-01\."):
        resolve(catalogue(Model(id="old", retires_at="2026-06-01")), "old", everything, NOON_OF_DATE_MS)


def test_retirement_headers() -> None:
    assert retirement_headers(Model(id="m")) == ()
    assert dict(retirement_headers(OLD)) == {
        b"deprecation": b"@1780272000",
        b"sunset": b"Mon, 01 Jun 2026 00:00:00 GMT",
    }


names = st.sampled_from(["a", "b", "c", "d", "e"])
models = st.builds(
    Model,
    id=names,
    aliases=st.lists(names, max_size=2).map(tuple),
    retires_at=st.sampled_from([None, "2020-01-01", "2099-01-01"]),
)


@given(st.lists(models, max_size=6), st.sets(names))
def test_the_list_is_exactly_what_can_be_called(given_models: list[Model], allowed: set[str]) -> None:
    house = catalogue(*given_models)

    def may(model: Model) -> bool:
        return model.id in allowed

    listed = [model.id for model in callable_models(house, may, NOW_MS)]
    for name in house.models:
        if name in listed:
            assert resolve(house, name, may, NOW_MS).id == name
        else:
            with pytest.raises((ModelNotFound, ModelNotAllowed)):
                resolve(house, name, may, NOW_MS)
