"""`make hostile`: every attack on a real platform beside an honest neighbour, and a table of what was seen.

`--command` takes the tollhouse of another checkout: the same attacks, before a change and after it.
"""

import argparse
import json
import sys
import traceback
from pathlib import Path

from tests.hostile.catalogue import ATTACKS
from tests.hostile.harness import Attack, Outcome, play, provider
from tests.hostile.launcher import HERE_COMMAND


def main() -> int:
    """Exit code 1 where an attack went through."""
    options = _options()
    wanted = [word.upper() for word in options.only.split(",") if word]
    unknown = [word for word in wanted if word not in ATTACKS]
    if unknown:
        sys.exit(f"no attack {', '.join(unknown)}; there are {', '.join(ATTACKS)}")
    outcomes: dict[str, Outcome] = {}
    with provider() as port:
        for attack in ATTACKS.values():
            if not wanted or attack.id in wanted:
                outcomes[attack.id] = _played(attack, port, options)
                _show(attack, outcomes[attack.id])
    through = [name for name, outcome in outcomes.items() if not outcome.held]
    print(f"\n{len(outcomes) - len(through)} of {len(outcomes)} held")
    if through:
        print(f"through: {', '.join(through)}")
    if options.json:
        rows = {name: _row(outcome) for name, outcome in outcomes.items()}
        options.json.write_text(json.dumps(rows, indent=1))
    return 1 if through else 0


def _played(attack: Attack, port: int, options: argparse.Namespace) -> Outcome:
    try:
        return play(attack, port, options.command, watch=not options.no_watch)
    except Exception as error:  # an attack that cannot be played to its end is one that went through
        traceback.print_exc()
        return Outcome(False, {"ended by": f"{type(error).__name__}: {error}"[:300]})


def _row(outcome: Outcome) -> dict[str, object]:
    return {"held": outcome.held, "figures": {name: str(value) for name, value in outcome.figures.items()}}


def _show(attack: Attack, outcome: Outcome) -> None:
    print(f"{attack.id:<10} {'held   ' if outcome.held else 'THROUGH'}  {attack.bound}", flush=True)
    for name, value in outcome.figures.items():
        print(f"           {name}: {value}", flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.hostile.run", description=__doc__)
    parser.add_argument("--command", type=Path, default=HERE_COMMAND, help="the tollhouse that is attacked")
    parser.add_argument("--only", default="", help="ids, such as G2,G3")
    parser.add_argument("--json", type=Path, help="write the figures there")
    parser.add_argument("--no-watch", action="store_true", help="on uvloop, without timing the loop's callbacks")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
