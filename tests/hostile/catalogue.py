"""Every attack, by its id."""

from collections.abc import Mapping
from typing import Final

from tests.hostile.attacks import answers, bodies, caps, circuits, connections, doors, money, outside, places, values
from tests.hostile.scene import Attack

_ROOMS: Final = (bodies, places, outside, circuits, money, doors, values, connections, answers, caps)
ATTACKS: Final[Mapping[str, Attack]] = {attack.id: attack for room in _ROOMS for attack in room.ATTACKS}
