"""The money of the platform against the slow model: hypothesis for what nobody thought of, the seeded loop for volume.

At least 500 steps here, 5,000 among the long tests; `make test-money STEPS=...` for any number. docs/testing.md says
what a seed means and which defects are found within 500 steps.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from tests.money import inspection, moves
from tests.money.checker import Checker
from tests.money.choice import Choose
from tests.money.moves import MOVES
from tests.money.run import run


def chooser(data: st.DataObject) -> Choose:
    return lambda count: data.draw(st.integers(0, count - 1))


class MoneyMachine(RuleBasedStateMachine):
    """Two kinds of rule, of what people do and of what calls go through, so that neither crowds out the other."""

    @initialize()
    def begins(self) -> None:
        self.folder = TemporaryDirectory()
        self.checker = Checker(Path(self.folder.name), 0)
        moves.begin(self.checker)

    def teardown(self) -> None:
        if hasattr(self, "checker"):
            try:
                moves.come_to_rest(self.checker)
                inspection.check(self.checker)
            finally:
                self.checker.end()
                self.folder.cleanup()

    def step(self, data: st.DataObject, names: tuple[str, ...]) -> None:
        possible = [name for name in names if MOVES[name].possible(self.checker)]
        name = data.draw(st.sampled_from(possible))
        MOVES[name].play(self.checker, chooser(data))
        inspection.check(self.checker)

    @rule(data=st.data())
    def somebody_does_something(self, data: st.DataObject) -> None:
        self.step(data, moves.OF_PEOPLE)

    @rule(data=st.data())
    def somebody_asks(self, data: st.DataObject) -> None:
        self.step(data, ("asks", "many ask", "money fits"))

    @precondition(lambda self: self.checker.live)
    @rule(data=st.data())
    def a_call_goes_on(self, data: st.DataObject) -> None:
        self.step(data, moves.OF_CALLS)

    @rule(data=st.data())
    def something_happens(self, data: st.DataObject) -> None:
        self.step(data, moves.OF_THE_CHECKER)


def check(runs: int, steps: int) -> None:
    run_state_machine_as_test(
        MoneyMachine,
        settings=settings(
            max_examples=runs,
            stateful_step_count=steps,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )


def test_nothing_hypothesis_thinks_of_tells_the_platform_from_the_model() -> None:
    check(runs=16, steps=25)


@pytest.mark.parametrize("seed", [1, 2])
def test_no_seed_tells_the_platform_from_the_model(tmp_path: Path, seed: int) -> None:
    seen = run(tmp_path, seed, 250)
    assert seen["finished"]
    assert seen["insufficient_quota"]


@pytest.mark.long
def test_nothing_hypothesis_thinks_of_for_longer_tells_them_apart() -> None:
    check(runs=50, steps=50)


@pytest.mark.long
@pytest.mark.parametrize("seed", [100, 101])
def test_no_seed_tells_them_apart_for_longer(tmp_path: Path, seed: int) -> None:
    seen = run(tmp_path, seed, 2_500)
    assert seen["overrun"]
    assert seen["cut"]
    assert seen["written later"]
