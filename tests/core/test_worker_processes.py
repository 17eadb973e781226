"""Processes: what is asked of another process comes back, whatever happens to it."""

import builtins
import os
import pickle
import select
import signal
import subprocess
import sys
import threading
from binascii import crc32
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tollhouse.core.failure import BadRequest, Overloaded
from tollhouse.processes import Processes

MIB = 1024 * 1024
evaluate: Any = builtins.eval  # a function that the other process knows, and that does what the test says


@pytest.fixture
def processes() -> Iterator[Processes]:
    made = Processes()
    yield made
    made.close()


def pid(processes: Processes) -> int:
    found: int = processes.call(evaluate, [b"__import__('os').getpid()"])
    return found


def ended(pid: int) -> bool:
    """Whether a process ends. Waits for it."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], 10)[0])
    finally:
        os.close(handle)


def test_pieces_arrive_joined_however_many_and_large_they_are(processes: Processes) -> None:
    for count, size in ((1, 0), (1, 10), (3_000, 1_000), (40, MIB)):
        pieces = [bytes([number % 256]) * size for number in range(count)]
        assert processes.call(crc32, pieces) == crc32(b"".join(pieces))
    assert processes.call(crc32, [memoryview(b"ab"), b"c"], 7) == crc32(b"abc", 7)


def test_long_bytes_come_back_beside_what_was_returned(processes: Processes) -> None:
    said: Any = processes.call(evaluate, [b"{'a': __import__('pickle').PickleBuffer(b'x' * 5_000_000), 'b': 7}"])
    assert said == {"a": b"x" * 5_000_000, "b": 7}


def test_what_the_work_raises_is_raised(processes: Processes) -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        processes.call(evaluate, [b"1 / 0"])
    assert "Traceback" in caught.value.__notes__[0]  # where it was raised is not lost
    from_there = pickle.loads(pickle.dumps(BadRequest("said there", param="model")))
    assert (from_there.message, from_there.param) == ("said there", "model")


def test_one_process_serves_one_call_after_the_other_and_starts_when_it_is_needed(processes: Processes) -> None:
    assert not processes._idle
    assert pid(processes) == pid(processes) != os.getpid()


def test_two_calls_at_one_time_are_two_processes(processes: Processes, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    waiting = f"open({str(fifo)!r}).read() or __import__('os').getpid()".encode()
    pids: list[int] = []
    slow = threading.Thread(target=lambda: pids.append(processes.call(evaluate, [waiting])))
    slow.start()
    writing = os.open(fifo, os.O_WRONLY)  # waits until the first has begun
    pids.append(pid(processes))
    os.close(writing)
    slow.join()
    assert len(set(pids)) == 2


def test_who_asked_a_process_that_dies_may_ask_again(processes: Processes) -> None:
    before = pid(processes)
    with pytest.raises(Overloaded):
        processes.call(evaluate, [b"__import__('os').kill(__import__('os').getpid(), 9)"])
    assert ended(before)
    assert pid(processes) != before


def test_a_process_that_died_while_nobody_asked_is_noticed(processes: Processes) -> None:
    before = pid(processes)
    os.kill(before, signal.SIGKILL)
    assert ended(before)
    with pytest.raises(Overloaded):
        processes.call(crc32, [bytes(3 * MIB)])
    assert processes.call(crc32, [b"a"]) == crc32(b"a")


def test_closing_ends_them(processes: Processes) -> None:
    found = pid(processes)
    processes.close()
    assert ended(found)


def test_it_dies_with_its_parent_and_knows_no_secret() -> None:
    program = (
        "import builtins, sys; from tollhouse.processes import Processes;"
        "asked = b\"__import__('os').getpid(), 'A_SECRET' in __import__('os').environ\";"
        "print(*Processes().call(builtins.eval, [asked]), flush=True); sys.stdin.read()"
    )
    environment = {**os.environ, "A_SECRET": "sk-secret"}
    parent = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    )
    assert parent.stdout is not None
    child, knows = parent.stdout.readline().split()
    assert knows == b"False"
    parent.kill()
    parent.communicate()
    assert ended(int(child))
