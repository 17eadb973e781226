"""The checker can fail: each defect that is made on purpose is found within 500 steps by one of the first seeds."""

import pytest

from tests.money.mutants import Mutant, mutants, platform_file, try_out


@pytest.mark.parametrize("mutant", mutants().values(), ids=mutants())
def test_a_defect_can_still_be_made(mutant: Mutant) -> None:
    """Whoever changes the place where one is made changes mutants.toml with it."""
    text = platform_file(mutant).read_text(encoding="utf-8")
    compile(mutant.made_of(text), mutant.file, "exec")


@pytest.mark.long
@pytest.mark.parametrize("mutant", mutants().values(), ids=mutants())
def test_a_defect_is_found(mutant: Mutant) -> None:
    assert try_out(mutant)
