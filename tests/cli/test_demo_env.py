"""demo.env: read as a shell reads it, whatever an editor made of it; never half written, never readable by others."""

import stat
from pathlib import Path

import pytest

from tollhouse.cli import demo_env
from tollhouse.cli.trouble import Misuse


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    values = {"TOLLHOUSE_API_KEY": "sk-1", "TOLLHOUSE_PASSWORD": "a 'quoted' $word"}
    demo_env.write(tmp_path / "demo.env", values)
    assert demo_env.read(tmp_path / "demo.env") == values
    assert stat.S_IMODE((tmp_path / "demo.env").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["demo.env"]


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbfTOLLHOUSE_API_KEY=sk-1\n",
        b"TOLLHOUSE_API_KEY=sk-1\r\n",
        b"\xef\xbb\xbf# mine\r\n\r\nexport TOLLHOUSE_API_KEY='sk-1' # here\r\n",
        b'TOLLHOUSE_API_KEY="sk-1"',
    ],
)
def test_byte_order_mark_crlf_and_quotes(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "demo.env").write_bytes(data)
    assert demo_env.read(tmp_path / "demo.env") == {"TOLLHOUSE_API_KEY": "sk-1"}


def test_no_file_holds_nothing(tmp_path: Path) -> None:
    assert demo_env.read(tmp_path / "demo.env") == {}


def test_a_line_that_no_shell_reads_is_named(tmp_path: Path) -> None:
    (tmp_path / "demo.env").write_text("TOLLHOUSE_API_KEY='sk-1\n")
    with pytest.raises(Misuse, match="TOLLHOUSE_API_KEY"):
        demo_env.read(tmp_path / "demo.env")
