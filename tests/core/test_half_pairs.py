"""Half of a surrogate pair goes on as it came in a value; in the name of a member it is refused."""

import pytest

from tollhouse.core.failure import BadRequest
from tollhouse.core.half_pairs import read_members, restore_members


def test_half_in_a_value_goes_on_as_it_came() -> None:
    found, has_halves = read_members(rb'{"a": "x\ud83d", "b": {"\ud83d": 1}}')
    assert has_halves
    restored = {name: bytes(raw) for name, raw in restore_members(found).items()}
    assert restored == {"a": rb'"x\ud83d"', "b": rb'{"\ud83d": 1}'}


@pytest.mark.parametrize("body", [rb'{"\ud83d": 1}', rb'{"a": "\ud83d", "b\udc00": 1}', rb'{"a\\\ud800": 1}'])
def test_half_in_the_name_of_a_member_is_refused(body: bytes) -> None:
    with pytest.raises(BadRequest, match="name of a member"):
        read_members(body)


def test_letters_of_private_use_stay_what_they_are() -> None:
    assert read_members('{"\ue000": 1}'.encode())[0].keys() == {"\ue000"}
