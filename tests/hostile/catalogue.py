"""Every attack, by its id."""

from collections.abc import Mapping
from typing import Final

from tests.hostile.attacks import bodies
from tests.hostile.scene import Attack

ATTACKS: Final[Mapping[str, Attack]] = {attack.id: attack for attack in (*bodies.ATTACKS,)}
