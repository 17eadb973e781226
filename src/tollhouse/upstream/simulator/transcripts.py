"""Sounds written down: a text that follows from the sound, in every form in which it can be asked for."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from tollhouse.core.model_request import InputBounds
from tollhouse.core.tokens import TokenCounter
from tollhouse.upstream.simulator import words
from tollhouse.upstream.simulator.composer import EVENTS, JSON, SimulatedBody, cut_buffered, cut_stream
from tollhouse.upstream.simulator.script import Script

_TEXT: Final = (b"content-type", b"text/plain; charset=utf-8")
_SOUND_TOKENS_A_SECOND: Final = 10

_Object = dict[str, Any]


def write_down(
    digest: str,
    asked: InputBounds,
    members: Mapping[str, Any],
    model: str,
    stream: bool,
    script: Script,
    counter: TokenCounter,
) -> SimulatedBody:
    """asked: tells how long the sound is."""
    seconds, form = asked.known_units.seconds, members.get("response_format") or "json"
    text = words.reply(digest, str(members.get("prompt", "")))
    if script.tokens is not None:
        text = words.exactly(script.tokens, digest, lambda given: counter.count(given, model))
    usage: _Object = {"type": "duration", "seconds": seconds}
    if not model.startswith("whisper"):
        usage = _tokens(seconds, str(members.get("prompt", "")), text, model, counter)
    told = {} if script.no_usage else {"usage": usage}
    if stream:
        return cut_stream(SimulatedBody(200, [EVENTS], _events(text, told)), script)
    if form in ("text", "srt", "vtt"):
        return cut_buffered(SimulatedBody(200, [_TEXT], [_plain(form, text, seconds)]), script)
    answer: _Object = {"text": text, **told}
    if form == "verbose_json":
        segment = {"id": 0, "seek": 0, "start": 0.0, "end": float(seconds), "text": text, "tokens": []}
        quality = {"temperature": 0.0, "avg_logprob": -0.1, "compression_ratio": 1.0, "no_speech_prob": 0.0}
        answer |= {"task": "transcribe", "language": members.get("language") or "english", "duration": float(seconds)}
        answer["segments"] = [{**segment, **quality}]
    return cut_buffered(SimulatedBody(200, [JSON], [msgspec.json.encode(answer)]), script)


def _tokens(seconds: int, prompt: str, text: str, model: str, counter: TokenCounter) -> _Object:
    heard, read, wrote = seconds * _SOUND_TOKENS_A_SECOND, counter.count(prompt, model), counter.count(text, model)
    return {
        "type": "tokens",
        "input_tokens": heard + read,
        "input_token_details": {"text_tokens": read, "audio_tokens": heard},
        "output_tokens": wrote,
        "total_tokens": heard + read + wrote,
    }


def _plain(form: str, text: str, seconds: int) -> bytes:
    if form == "text":
        return f"{text}\n".encode()
    end = f"{seconds // 3_600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    if form == "srt":
        return f"1\n00:00:00,000 --> {end},000\n{text}\n\n".encode()
    return f"WEBVTT\n\n00:00:00.000 --> {end}.000\n{text}\n\n".encode()


def _events(text: str, told: _Object) -> Iterator[bytes]:
    for piece in words.pieces(text):
        yield _event({"type": "transcript.text.delta", "delta": piece})
    yield _event({"type": "transcript.text.done", "text": text, **told})


def _event(members: _Object) -> bytes:
    return b"data: " + msgspec.json.encode(members) + b"\n\n"
