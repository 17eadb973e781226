"""The password rule: long, not uniform, not what everybody tries, not one's own name."""

import pytest

from tollhouse.access.passwords import LENGTH_MAX, require_good
from tollhouse.core.failure import BadRequest


@pytest.mark.parametrize(
    "password",
    ["correct horse battery", "Zollhaus am Fluss 7", "ßüöä éèê ñçã 税关", "k3!vR9#qLm2$", "my-toll-of-the-bells!"],
)
def test_good_passwords(password: str) -> None:
    require_good(password, "anna@toll.example", "Anna Meier")


@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("", "at least 12"),
        ("elevenchars", "at least 12"),
        ("x" * (LENGTH_MAX + 1), "more than"),
        ("aaaaaaaaaaaaaaaa", "different characters"),
        ("abababababab", "different characters"),
        ("Password1234", "tried first"),
        ("123456789012", "tried first"),
        ("qwertyuiop123!", "tried first"),
        ("admin-admin-2026", "tried first"),
        ("anna.meier@toll", "name or address"),
        ("AnnaMeier2026", "name or address"),
    ],
)
def test_bad_passwords(password: str, said: str) -> None:
    with pytest.raises(BadRequest) as caught:
        require_good(password, "anna@toll.example", "Anna Meier")
    assert said in caught.value.message
    assert caught.value.param == "password"
    assert not password or password not in caught.value.message
