"""Every attack, by its id."""

from collections.abc import Mapping
from typing import Final

from tests.hostile.attacks import (
    answers,
    bodies,
    caps,
    circuits,
    connections,
    disclosure,
    exhaustion,
    money,
    outbound,
    public,
    values,
)
from tests.hostile.harness import Attack

_ROOMS: Final = (bodies, exhaustion, outbound, circuits, money, disclosure, values, connections, answers, caps, public)
ATTACKS: Final[Mapping[str, Attack]] = {attack.id: attack for room in _ROOMS for attack in room.ATTACKS}
