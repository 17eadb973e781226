"""The counter chooses, loads late, keeps hostile texts cheap, and counts long ones beside the event loop."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import TypeVar

import pytest

from tollhouse.core.failure import Overloaded
from tollhouse.core.tokens import TextCounter
from tollhouse.threads import FairThreads
from tollhouse.tokens.estimator import Estimator
from tollhouse.tokens.tokenizer import (
    EXACT_CHARACTERS_MAX,
    INLINE_CHARACTERS_MAX,
    PIECE_CHARACTERS_MAX,
    SAMPLE_CHARACTERS,
    SAMPLES,
    Tokenizer,
)
from tollhouse.tokens.vocabulary import Encoder

T = TypeVar("T")

MEGABYTE = 1 << 20


class Recorder:
    """An encoder that makes each character a token and remembers what it was given, and where."""

    def __init__(self) -> None:
        self.lengths: list[int] = []
        self.threads: set[int] = set()

    def encode_ordinary(self, text: str) -> list[int]:
        self.lengths.append(len(text))
        self.threads.add(threading.get_ident())
        return [0] * len(text)


def test_a_public_vocabulary_counts_as_its_vendor_does(tokenizer: Tokenizer) -> None:
    counter: TextCounter = tokenizer
    assert counter.count("Hello world", "gpt-4o") == 2
    assert counter.count("<|endoftext|>", "gpt-4o") > 1
    assert counter.count("", "gpt-4o") == counter.count("", "claude-opus-4-1") == 0
    assert counter.count("\ud800 half of a pair", "gpt-4") > 0


def test_other_families_are_estimated_and_load_nothing() -> None:
    def load(name: str) -> Encoder:
        raise AssertionError(name)

    text = "The gate opens at dawn. 税关" * 1000
    assert Tokenizer(load).count(text, "claude-opus-4-1") == Estimator().count(text, "claude-opus-4-1")


def test_what_is_counted_on_the_event_loop_has_its_vocabulary_read_before_in_a_thread() -> None:
    read_in: list[int] = []

    def load(name: str) -> Encoder:
        read_in.append(threading.get_ident())
        return Recorder()

    async def main() -> None:
        threads = FairThreads("test")
        counter = Tokenizer(load, threads)
        await asyncio.gather(*[counter.prepare(model) for model in ("gpt-4o", "gpt-4o", "claude-opus-4-1")])
        assert counter.count("abc", "gpt-4o") == 3
        threads.close()

    asyncio.run(main())
    assert len(read_in) == 1
    assert read_in != [threading.get_ident()]


@pytest.mark.parametrize("model", ["gpt-4o", "gpt-4"])
@pytest.mark.parametrize(
    "unit", ["a", "A", "税", " ", "\n", "=", "1", "\u0301", "🛃", " \n", "aB", "a'", "\r", "\t ", "é", "Zm9v"]
)
def test_a_megabyte_of_one_thing_is_counted(unit: str, model: str, tokenizer: Tokenizer) -> None:
    """Whole, some of these end the encoder in a stack overflow. A sixteenth shows what the whole must come to."""
    part = unit * (MEGABYTE // 16 // len(unit))
    counted = tokenizer.count(part * 16, model)
    cuts = 16 * (len(part) // PIECE_CHARACTERS_MAX + 1)
    assert abs(counted - 16 * tokenizer.count(part, model)) <= cuts


@pytest.mark.parametrize("text", ["a" * MEGABYTE, "word " * (MEGABYTE // 5), "税关，" * (MEGABYTE // 3)])
def test_the_encoder_is_never_given_more_than_a_piece(text: str) -> None:
    recorder = Recorder()
    assert Tokenizer(lambda _: recorder).count(text, "gpt-4o") == len(text)
    assert max(recorder.lengths) <= PIECE_CHARACTERS_MAX
    assert len(recorder.lengths) <= len(text) // PIECE_CHARACTERS_MAX + 2


@pytest.mark.parametrize("length", [EXACT_CHARACTERS_MAX + 1, 30 * MEGABYTE])
def test_a_text_of_a_hopeless_size_is_estimated_from_samples(length: int) -> None:
    recorder = Recorder()
    assert Tokenizer(lambda _: recorder).count("a" * length, "gpt-4o") == length
    assert recorder.lengths == [SAMPLE_CHARACTERS] * SAMPLES


def test_the_samples_of_a_long_text_come_from_all_over_it(tokenizer: Tokenizer) -> None:
    prose, ideographs = "The gate opens at dawn. " * 40_000, "税关在黎明时分开门。" * 60_000
    exact = tokenizer.count(prose, "gpt-4o") + tokenizer.count(ideographs, "gpt-4o")
    assert len(prose + ideographs) > EXACT_CHARACTERS_MAX
    assert abs(tokenizer.count(prose + ideographs, "gpt-4o") - exact) < exact / 20


def test_short_texts_are_counted_here_and_long_ones_elsewhere() -> None:
    recorder = Recorder()
    threads = FairThreads("counting")
    tokenizer = Tokenizer(lambda _: recorder, threads)
    here = threading.get_ident()

    async def scenario() -> None:
        await tokenizer.count_aside("first", "gpt-4o", "acc_1")
        assert here not in recorder.threads, "the first one loads"
        recorder.threads.clear()
        assert await tokenizer.count_aside("a" * INLINE_CHARACTERS_MAX, "gpt-4o", "acc_1") == INLINE_CHARACTERS_MAX
        assert recorder.threads == {here}
        recorder.threads.clear()
        longer = "a" * (INLINE_CHARACTERS_MAX + 1)
        assert await tokenizer.count_aside(longer, "gpt-4o", "acc_1") == INLINE_CHARACTERS_MAX + 1
        assert here not in recorder.threads

    asyncio.run(scenario())
    threads.close()


def test_the_event_loop_goes_on_while_a_long_text_is_counted_and_only_so_many_are_at_once() -> None:
    begun, go_on, at_once, most = threading.Semaphore(0), threading.Semaphore(0), [0], [0]

    class SlowVocabulary:
        def encode_ordinary(self, text: str) -> list[int]:
            at_once[0] += 1
            most[0] = max(most[0], at_once[0])
            begun.release()
            go_on.acquire()
            at_once[0] -= 1
            return [0] * len(text)

    threads = FairThreads("counting", threads=2)
    tokenizer = Tokenizer(lambda _: SlowVocabulary(), threads)

    async def scenario() -> list[int]:
        text = "a" * (INLINE_CHARACTERS_MAX + 1)
        counts = [asyncio.create_task(tokenizer.count_aside(text, "gpt-4o", "acc_1")) for _ in range(3)]
        await asyncio.to_thread(begun.acquire)
        assert not any(count.done() for count in counts)
        for _ in counts:
            go_on.release()
        return await asyncio.gather(*counts)

    assert asyncio.run(scenario()) == [INLINE_CHARACTERS_MAX + 1] * 3
    assert most == [1]
    threads.close()


def test_the_count_of_another_account_waits_for_nobody() -> None:
    """Six texts of 30 MiB made another account wait for 21 s."""
    begun, go_on = threading.Semaphore(0), threading.Event()

    class HeldThreads:
        def encode_ordinary(self, text: str) -> list[int]:
            if text.startswith("b"):
                return [0]
            begun.release()
            go_on.wait()
            return [0] * len(text)

    threads = FairThreads("counting")
    tokenizer = Tokenizer(lambda _: HeldThreads(), threads)

    async def scenario() -> None:
        theirs = [asyncio.create_task(tokenizer.count_aside("a" * 2 * MEGABYTE, "gpt-4o", "acc_a")) for _ in range(6)]
        await asyncio.to_thread(begun.acquire)
        assert await tokenizer.count_aside("b" * (INLINE_CHARACTERS_MAX + 1), "gpt-4o", "acc_b") == 1
        assert not any(count.done() for count in theirs)
        go_on.set()
        assert await asyncio.gather(*theirs) == [2 * MEGABYTE] * 6

    asyncio.run(scenario())
    threads.close()


def test_accounts_take_turns_between_the_parts_of_a_text() -> None:
    """Nobody holds a thread for longer than one part takes."""
    asked: list[tuple[str, int]] = []

    class Turns:
        async def run(self, account_id: str, work: Callable[[], T]) -> T:
            before = sum(recorder.lengths)
            result = work()
            asked.append((account_id, sum(recorder.lengths) - before))
            return result

    recorder = Recorder()
    tokenizer = Tokenizer(lambda _: recorder, Turns())
    assert asyncio.run(tokenizer.count_aside("a" * MEGABYTE, "gpt-4o", "acc_1")) == MEGABYTE
    assert asked == [("acc_1", PIECE_CHARACTERS_MAX)] * 32


def test_whose_counts_wait_in_hundreds_is_estimated_at_once() -> None:
    class FullThreads:
        async def run(self, account_id: str, work: Callable[[], T]) -> T:
            raise Overloaded("too much waits")

    tokenizer = Tokenizer(threads=FullThreads())
    text = "The gate opens at dawn. " * 10_000
    counted = asyncio.run(tokenizer.count_aside(text, "claude-opus-4-1", "acc_1"))
    assert abs(counted - Estimator().count(text, "claude-opus-4-1")) < counted / 20


def test_a_vocabulary_is_loaded_once_however_many_ask_for_it() -> None:
    loads: list[str] = []
    started = threading.Barrier(4)

    def load(name: str) -> Encoder:
        loads.append(name)
        return Recorder()

    tokenizer = Tokenizer(load)

    def ask() -> None:
        started.wait()
        tokenizer.count("text", "gpt-4o")

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert loads == ["o200k_base"]


def test_the_start_pays_for_no_vocabulary_and_no_encoder() -> None:
    code = (
        "import sys; from tollhouse.tokens.tokenizer import Tokenizer; Tokenizer().count('x', 'claude-opus-4-1'); "
        "sys.exit('tiktoken' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
