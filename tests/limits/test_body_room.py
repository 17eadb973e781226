"""G3: memory for bodies is shared so that some of it always stays free for the next account."""

import pytest

from tollhouse.limits.body_room import BodyRoom

MIB = 1024 * 1024


def fill(room: BodyRoom, account_id: str, size: int) -> int:
    """Take bodies of one size until none fits; gives the bytes held then."""
    while room.fits(account_id, size):
        room.take(account_id, size)
    return room.held(account_id)


def test_one_account_gets_half_of_the_room() -> None:
    room = BodyRoom(128 * MIB)
    assert fill(room, "a", MIB) == 64 * MIB
    assert fill(room, "b", MIB) == 32 * MIB


@pytest.mark.parametrize("accounts", [1, 3, 10, 30])
def test_however_many_take_what_they_can_a_stranger_is_served(accounts: int) -> None:
    room = BodyRoom(128 * MIB)
    for _ in range(accounts):  # in turns, again and again
        for number in range(accounts):
            if room.fits(f"a{number}", MIB):
                room.take(f"a{number}", MIB)
    assert room.fits("b", MIB)


def test_what_is_given_back_is_free_again() -> None:
    room = BodyRoom(8 * MIB)
    room.take("a", 4 * MIB)
    assert not room.fits("a", MIB)
    room.free("a", 4 * MIB)
    assert (room.used, room.held("a")) == (0, 0)
    assert room.fits("a", 8 * MIB)


def test_more_than_was_taken_cannot_be_given_back() -> None:
    room = BodyRoom()
    room.take("a", 1)
    with pytest.raises(KeyError):
        room.free("a", 2)
    with pytest.raises(KeyError):
        room.free("b", 1)
