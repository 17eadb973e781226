"""How large an input can be: what is text is bounded by its bytes, however it looks; what is none by what it is."""

import json
from base64 import b64encode

import pytest

from tollhouse.core.model_request import InputBounds
from tollhouse.core.operation import Operation
from tollhouse.formats.openai.input_bounds import BYTES_PER_SOUND_TOKEN, MEDIA_TOKENS, input_bounds
from tollhouse.formats.openai.prompt import prompt
from tollhouse.formats.openai.request import read

LETTERS = "Ab3x" * 5_000
PICTURE = "data:image/png;base64," + LETTERS
LINKED = "https://pictures.example/one.png"


def of(body: bytes, operation: Operation = "chat") -> InputBounds:
    return input_bounds(read(operation, body))


def chat(content: object, **members: object) -> bytes:
    return json.dumps({"model": "m", "messages": [{"role": "user", "content": content}], **members}).encode()


def responses(given: object = "hi", **members: object) -> bytes:
    return json.dumps({"model": "m", "input": given, **members}).encode()


@pytest.mark.parametrize(
    "content",
    [
        LETTERS,
        PICTURE,
        [{"type": "text", "text": LETTERS}],
        [{"type": "text", "text": PICTURE}],
        json.dumps({"type": "image_url", "image_url": {"url": PICTURE}}),
    ],
    ids=["letters", "address", "part", "part with an address", "JSON in a text"],
)
def test_a_text_that_looks_like_media_is_bounded_by_its_bytes(content: object) -> None:
    """It was taken for one image, and 100,000 tokens of letters were let in on the money for 20,000."""
    body = chat(content)
    assert of(body) == InputBounds(bytes=len(body))


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": PICTURE}},
        {"type": "image_url", "image_url": PICTURE},
        {"type": "image_url", "image_url": {"url": LETTERS}},
        {"type": "input_image", "image_url": PICTURE},
    ],
    ids=["chat", "address alone", "base64 alone", "responses"],
)
def test_a_picture_is_taken_out_of_the_text(part: object) -> None:
    body = chat([{"type": "text", "text": "what is it?"}, part])
    found = of(body)
    assert len(body) - found.bytes - 2 in (len(PICTURE), len(LETTERS))
    assert (found.parts, found.media, found.has_remote_input) == (1, MEDIA_TOKENS, False)


def test_every_picture_counts() -> None:
    found = of(chat([{"type": "image_url", "image_url": {"url": url}} for url in (PICTURE, LINKED, PICTURE)]))
    assert (found.parts, found.media, found.has_remote_input) == (3, 3 * MEDIA_TOKENS, False)


@pytest.mark.parametrize(
    "part",
    [
        b'{"type":"image_url","image\\u005furl":{"\\u0075rl":"https:\\/\\/pictures.example"}}',
        b'{"type":"image_url","Image_URL":{"URL":"HTTPS://pictures.example"}}',
        b'{"type":"image_url","image_url":{"url":"gs://bucket/one.png"}}',
    ],
    ids=["escapes", "capitals", "another scheme"],
)
def test_no_spelling_hides_a_picture(part: bytes) -> None:
    found = of(b'{"model":"m","messages":[{"role":"user","content":[%b]}]}' % part)
    assert (found.parts, found.media) == (1, MEDIA_TOKENS)


def test_sound_is_bounded_by_its_bytes() -> None:
    """20,000 tokens were held for it however long it was."""
    sound = b64encode(bytes(6_000_000)).decode()
    found = of(chat([{"type": "input_audio", "input_audio": {"format": "mp3", "data": sound}}]))
    assert (found.media, found.has_remote_input) == (len(sound) // BYTES_PER_SOUND_TOKEN, False)
    short = of(chat([{"type": "input_audio", "input_audio": {"format": "wav", "data": "UklGRg=="}}]))
    assert short.media == MEDIA_TOKENS


@pytest.mark.parametrize(
    "part",
    [
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64," + LETTERS}},
        {"type": "input_file", "file_url": "https://files.example/a.pdf"},
        {"type": "input_file", "file_id": "file-1"},
        {"type": "video_url", "video_url": {"url": "https://films.example/a.mp4"}},
        {"type": "video_url", "video_url": {"url": "data:video/mp4;base64," + LETTERS}},
        {"type": "image_url", "image_url": {"url": "data:application/pdf;base64," + LETTERS}},
        {"type": "audio_url", "audio_url": {"url": "https://sounds.example/a.mp3"}},
        {"type": "input_audio", "input_audio": {"format": "flac", "data": LETTERS}},
        {"type": "input_audio", "input_audio": {"data": LETTERS}},
        {"type": "image_file", "image_file": {"file_id": "file-1"}},
    ],
    ids=lambda part: f"{part['type']} {sorted(part)[0]}",
)
def test_what_no_size_bounds_may_fill_the_context(part: object) -> None:
    assert of(chat([part])).has_remote_input


def test_sound_that_the_provider_kept_lies_elsewhere() -> None:
    said = {"role": "assistant", "audio": {"id": "audio_1"}}
    assert of(json.dumps({"model": "m", "messages": [said]}).encode()).has_remote_input


@pytest.mark.parametrize(
    ("body", "elsewhere"),
    [
        (responses(), False),
        (responses(previous_response_id="resp_1"), True),
        (responses(previous_response_id=None, conversation=None), False),
        (responses(conversation={"id": "conv_1"}), True),
        (responses(prompt={"id": "pmpt_1"}), True),
        (responses([{"type": "item_reference", "id": "msg_1"}]), True),
        (responses(tools=[{"type": "function", "name": "f", "parameters": {"type": "object"}}]), False),
        (responses(tools=[{"type": "local_shell"}, {"type": "custom", "name": "f"}]), False),
        (responses(tools=[]), False),
        (responses(tools=[{"type": "web_search"}]), True),
        (responses(tools=[{"type": "function", "Type": "file_search"}]), True),
        (responses(tools=[{"name": "f"}]), True),
        (responses(tools="all"), True),
    ],
)
def test_what_the_provider_keeps_or_finds_lies_elsewhere(body: bytes, elsewhere: bool) -> None:
    """Null is absent, and a function's own parameters are no hosted tool: both held a whole context."""
    assert of(body, "responses").has_remote_input is elsewhere


@pytest.mark.parametrize(
    ("members", "elsewhere"),
    [
        ({"web_search_options": {}}, True),
        ({"enable_search": True}, True),
        ({"enable_search": False}, False),
        ({"plugins": [{"id": "web"}]}, True),
        ({"search_parameters": {"mode": "auto"}}, True),
        ({"tools": [{"type": "web_search"}]}, True),
        ({"tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]}, False),
        ({"tools": [{"type": "function", "function": {"name": "f", "web_search": {}}}]}, True),
        ({"tools": [{"type": "function", "function": "f"}]}, True),
        ({"tools": [{"type": "custom", "custom": {"name": "f", "format": {"type": "text"}}}]}, False),
        ({"tools": [{"type": "custom", "custom": {"name": "f", "server_url": "https://x.example"}}]}, True),
        ({"tools": None}, False),
    ],
)
def test_a_provider_that_searches_reads_more_than_it_was_sent(members: dict[str, object], elsewhere: bool) -> None:
    assert of(chat("hi", **members)).has_remote_input is elsewhere


def test_what_is_nested_beyond_reading_may_fill_the_context() -> None:
    deep = b"[" * 900 + b"]" * 900
    body = b'{"model":"m","messages":[{"role":"user","content":%b}]}' % deep
    assert of(body).bytes == len(body)


def test_what_is_json_and_cannot_be_read_may_fill_the_context() -> None:
    """A number beyond all floats was a 500."""
    body = b'{"model":"m","messages":[{"role":"user","content":"hi","score":1e999}]}'
    assert of(body) == InputBounds(bytes=len(body), has_remote_input=True)
    assert "1e999" in prompt(read("chat", body))


class TestPrompt:
    """What is counted where nobody reports: all that is text, and no media."""

    def of(self, body: bytes, operation: Operation = "chat") -> str:
        return prompt(read(operation, body))

    def test_a_text_that_looks_like_media_is_counted(self) -> None:
        assert LETTERS in self.of(chat(LETTERS))
        assert PICTURE in self.of(chat([{"type": "text", "text": PICTURE}]))

    def test_media_is_not(self) -> None:
        part = {"type": "image_url", "image_url": {"url": PICTURE}}
        counted = self.of(chat([{"type": "text", "text": "what is it?"}, part]))
        assert "what is it?" in counted
        assert LETTERS not in counted

    def test_as_it_was_written(self) -> None:
        assert self.of(b'{"model":"m","messages": [ {"role":"user", "content":"hi"} ]}') == (
            '[ {"role":"user", "content":"hi"} ]'
        )

    @pytest.mark.parametrize("name", ["functions", "tools", "response_format", "suffix"])
    def test_all_that_a_model_reads_is_counted(self, name: str) -> None:
        given = {"type": "json_schema", "json_schema": {"schema": {"title": "of a bill"}}}
        assert "of a bill" in self.of(chat("hi", **{name: given}))

    def test_the_form_of_an_answer_without_a_schema_is_not_read(self) -> None:
        assert "json_object" not in self.of(chat("hi", response_format={"type": "json_object"}))


@pytest.mark.parametrize(
    ("part", "counted"),
    [
        ({"image_url": {"url": "data:image/png;base64,AAAA"}}, (250, 0, 0)),
        ({"image_url": {"url": "https://x.example/1.png"}}, (250, 0, 0)),
        ({"image_url": {"url": "https://x.example/1.png", "detail": "low"}}, (85, 0, 0)),
        ({"input_audio": {"data": "A" * 64_001, "format": "wav"}}, (0, 11, 0)),
        ({"file": {"file_id": "file-1"}}, (0, 0, 250)),
        ({"text": "a picture"}, (0, 0, 0)),
    ],
)
def test_where_nobody_reports_them_media_count_by_figures(
    part: dict[str, object], counted: tuple[int, int, int]
) -> None:
    found = of(chat([part, {"type": "text", "text": "what is this?"}]))
    assert (found.image_tokens, found.audio_tokens, found.file_tokens) == counted
