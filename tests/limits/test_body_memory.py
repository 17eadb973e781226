"""G3: memory for bodies is shared so that some of it always stays free for the next account."""

import pytest

from tollhouse.limits.body_memory import BodyMemory

MIB = 1024 * 1024


def fill(memory: BodyMemory, account_id: str, size: int) -> int:
    """Take bodies of one size until none fits; gives the bytes held then."""
    while memory.fits(account_id, size):
        memory.take(account_id, size)
    return memory.held(account_id)


def test_one_account_gets_half_of_the_memory() -> None:
    memory = BodyMemory(128 * MIB)
    assert fill(memory, "a", MIB) == 64 * MIB
    assert fill(memory, "b", MIB) == 32 * MIB


@pytest.mark.parametrize("accounts", [1, 3, 10, 30])
def test_however_many_take_what_they_can_a_stranger_is_served(accounts: int) -> None:
    memory = BodyMemory(128 * MIB)
    for _ in range(accounts):  # in turns, again and again
        for number in range(accounts):
            if memory.fits(f"a{number}", MIB):
                memory.take(f"a{number}", MIB)
    assert memory.fits("b", MIB)


def test_what_is_given_back_is_free_again() -> None:
    memory = BodyMemory(8 * MIB)
    memory.take("a", 4 * MIB)
    assert not memory.fits("a", MIB)
    memory.free("a", 4 * MIB)
    assert (memory.used, memory.held("a")) == (0, 0)
    assert memory.fits("a", 8 * MIB)


def test_more_than_was_taken_cannot_be_given_back() -> None:
    memory = BodyMemory()
    memory.take("a", 1)
    with pytest.raises(KeyError):
        memory.free("a", 2)
    with pytest.raises(KeyError):
        memory.free("b", 1)


def test_more_than_is_held_cannot_be_given_back() -> None:
    memory = BodyMemory(8 * MIB)
    memory.take("a", MIB)
    with pytest.raises(KeyError):
        memory.free("a", 2 * MIB)
    assert memory.held("a") == memory.used == MIB


def test_of_two_bodies_one_is_given_back() -> None:
    memory = BodyMemory(8 * MIB)
    memory.take("a", MIB)
    memory.take("a", 2 * MIB)
    memory.free("a", MIB)
    assert memory.held("a") == memory.used == 2 * MIB
