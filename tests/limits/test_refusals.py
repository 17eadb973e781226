"""Who can raise a limit is said in every refusal, also where the operator named no way to reach him."""

import pytest

from tollhouse.core.limit import LimitLevel
from tollhouse.limits.level import Limit, Place, refusal

OWN = "an owner or admin of the account"


@pytest.mark.parametrize(
    ("level", "contact", "whom"),
    [
        ("account", "", "the operator of this platform"),
        ("account", "ops@toll.example", "ops@toll.example"),
        ("model", "", "the operator of this platform"),
        ("address", "", "the operator of this platform"),
        ("project", "", OWN),
        ("key", "", OWN),
        ("key", "ops@toll.example", f"{OWN}, or ops@toll.example"),
    ],
)
def test_who_can_raise_a_limit_is_named(level: LimitLevel, contact: str, whom: str) -> None:
    said = refusal(Limit(Place(level, "x"), 2), "requests per minute", 2, "later", 1, contact).message
    assert (
        said
        == f"The limit of 2 requests per minute of the {level} x is reached: 2 used; later. To raise it, ask {whom}."
    )


def test_of_what_nobody_can_raise_nobody_is_asked() -> None:
    said = refusal(Limit(Place("account", "x"), 2), "attempts", 2, "later", 1, None).message
    assert said.endswith("2 used; later.")
