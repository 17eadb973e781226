"""The options of a command, made from the fields of a struct."""

from typing import Annotated, Literal

import pytest
from cyclopts import App, CycloptsError
from msgspec import Struct, field

from tollhouse.cli.field_options import Given, takes
from tollhouse.core.fields import Help


class Parcel(Struct, kw_only=True):
    name: Annotated[str, Help("")]
    price_usd: Annotated[str | None, Help("US dollars", option="price")] = None
    pace: Annotated[str, Help("how quickly", choices=("slow", "fast"))] = "slow"
    mode: Annotated[Literal["air", "sea"], Help("by which way")] = "sea"
    begin: Annotated[str | None, Help("when", option="from")] = field(default=None, name="from")
    labels: Annotated[tuple[str, ...], Help("a label", option="label")] = ()
    groups: Annotated[tuple[str, ...] | None, Help("a group", option="group", clearable=True)] = None
    fragile: Annotated[bool, Help("with care")] = False
    secret: str = ""  # without a Help: of no command


def typed(*words: str) -> dict[str, object]:
    """What the command is called with: its own parameters, and what was given."""
    app, seen = App(), dict[str, object]()

    @app.default
    @takes(Parcel, "name", but=("fragile",))
    def send(depot: str, given: Given, *, yes: bool = False) -> None:
        seen.update(depot=depot, yes=yes, **given)

    app(words, print_error=False, exit_on_error=False, result_action="return_value")
    return seen


def test_what_is_not_typed_is_not_given() -> None:
    assert typed("north", "box") == {"depot": "north", "yes": False, "name": "box"}


def test_options_are_given_by_the_names_of_the_fields_in_json() -> None:
    words = ("--price", "-5", "--pace", "fast", "--mode", "air", "--from", "noon", "--label", "a", "--label", "b")
    assert typed("north", "box", "--yes", *words) == {
        "depot": "north",
        "yes": True,
        "name": "box",
        "price_usd": "-5",
        "pace": "fast",
        "mode": "air",
        "from": "noon",
        "labels": ("a", "b"),
    }


def test_a_list_can_be_given_as_empty_where_that_is_said() -> None:
    assert typed("north", "box", "--empty-group")["groups"] == ()
    with pytest.raises(CycloptsError):
        typed("north", "box", "--empty-label")


@pytest.mark.parametrize("wrong", [("--pace", "quick"), ("--mode", "land"), ("--secret", "x"), ("--fragile",)])
def test_a_word_that_is_no_choice_and_a_field_without_an_option_are_refused(wrong: tuple[str, ...]) -> None:
    with pytest.raises(CycloptsError):
        typed("north", "box", *wrong)


def test_a_field_without_a_default_has_to_be_typed() -> None:
    with pytest.raises(CycloptsError):
        typed("north")
