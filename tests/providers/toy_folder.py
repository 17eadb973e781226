"""A package in a temporary folder with one file in it: what adding a kind of provider comes to."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tollhouse.providers import Kind, kinds

TOY = Path(__file__).parent / "signed_toy.py"


@contextmanager
def toy_kinds(folder: Path) -> Iterator[dict[str, Kind]]:
    """The kinds that the discovery finds in a package that holds nothing but the toy."""
    package = f"kinds_of_{folder.name}"
    place = folder / package
    place.mkdir()
    (place / "__init__.py").touch()
    (place / "signed_toy.py").write_bytes(TOY.read_bytes())
    sys.path.insert(0, str(folder))
    try:
        yield dict(kinds(package))
    finally:
        sys.path.remove(str(folder))
        for name in [name for name in sys.modules if name.partition(".")[0] == package]:
            del sys.modules[name]
