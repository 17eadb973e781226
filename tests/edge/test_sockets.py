"""Unix sockets: for their owner alone, in folders of any depth, never taken from whoever listens."""

import asyncio
import os
import socket
import stat
from pathlib import Path

import pytest

from tests.edge.wire_server import mirror
from tollhouse.edge.asgi import serving
from tollhouse.edge.socket_path import BYTES_MAX, short
from tollhouse.edge.sockets import ListenAddress, bind


def listen(path: Path) -> socket.socket:
    (listening,) = asyncio.run(bind(ListenAddress(app=serving(mirror), path=str(path))))
    return listening


@pytest.fixture(params=["short", "long"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    folder = tmp_path / ("d" if request.param == "short" else "a-folder-with-a-long-name/" * 12)
    folder.mkdir(parents=True)
    return folder / "tollhouse.sock"


def test_a_socket_stands_in_its_folder_for_its_owner_however_long_the_path_is(path: Path) -> None:
    with listen(path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert [one.name for one in path.parent.iterdir()] == ["tollhouse.sock"]
        with socket.socket(socket.AF_UNIX) as caller, short(path) as name:
            assert len(os.fsencode(name)) <= BYTES_MAX or name == str(path)
            caller.connect(name)
        assert name == str(path) or not Path(name).exists(), "the way there is gone"
        with pytest.raises(OSError, match="another process listens"):
            listen(path)
    listen(path).close()  # a dead process left it behind


def test_a_folder_that_is_no_more_is_not_found(path: Path) -> None:
    path.parent.rmdir()
    with socket.socket(socket.AF_UNIX) as caller, short(path) as name, pytest.raises(FileNotFoundError):
        caller.connect(name)


def test_where_no_short_way_can_be_had_it_says_what_to_do(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * BYTES_MAX)
    deep.mkdir()
    with (
        pytest.raises(OSError, match="choose a shorter folder, or TMPDIR"),
        short(deep / "tollhouse.sock", temporary=deep),
    ):
        raise AssertionError("there is no name to work with")
    assert list(deep.iterdir()) == []
