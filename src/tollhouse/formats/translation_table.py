"""The page docs/translation.md, drawn from `core.features` and from what each format says."""

from collections.abc import Iterable
from typing import Final

from tollhouse.core.codec import Codec
from tollhouse.core.features import FEATURES
from tollhouse.core.operation import TRANSLATED

_HEAD: Final = """\
# Translation

A model keeps its name and an application keeps its SDK, whichever format its provider speaks. A call in a format that
the provider speaks passes unchanged; any other is translated, and so is an answer in another `style`. The request is
read into words that belong to no vendor (`src/tollhouse/core/conversation.py`), and written from them in the provider's
format; there is no step from one vendor's format straight to another's. What comes back is written anew as if a
provider of the caller's own format had sent it, event by event, and then passes the same checks as any other answer.
Usage is the exception: the provider's own report is what is charged, and the same content costs the same in every
format, buffered or streamed. What the provider's format cannot say is **refused** where it would change the meaning of
the answer (status 400, code `unsupported_parameter`, the member's name), or **dropped** where it only changes how well
or how fast the answer is made: the header `x-tollhouse-dropped` names it. Where a model has several offers, those that
cannot say a call are passed over. What only its maker can read (signatures, encrypted thoughts) goes to the caller in a
place of their own format, comes back with the next turn, and reaches its maker as it was. A failure is told in the
caller's format, also in the middle of a stream, and a stream that broke never looks whole.

This page is written by `scripts/write_docs.py`.

## What is said, dropped and refused

By the format in which the provider is asked. A legacy completion is asked as one message of a user.

"""
_WAYS: Final = (
    (
        "a tool that takes text (`custom`), at a provider that knows functions alone",
        "a function with one string, `input`, in whose description its grammar stands; its calls come back as calls of "
        "that tool",
    ),
    (
        "Responses' `local_shell`, `shell`, `apply_patch`, client-run `tool_search`, tools in a `namespace`",
        "functions likewise; the calls come back as the items that they are",
    ),
    (
        "Anthropic's tools that the caller runs (`bash`, `text_editor`, `memory`, `computer`)",
        "functions of the same names that take the same",
    ),
    (
        "tools that come and go in Anthropic's messages (`tool_addition`, `tool_removal`, `defer_loading`)",
        "those that are there at the end; deferred ones once they are found",
    ),
    (
        "what the system says after others have spoken, but to models of OpenAI",
        "words of the user, where they were said",
    ),
    (
        "a history to be shortened (`compaction_trigger`), in Responses",
        "a summary is asked for, and comes back as a `compaction` item, which is said in words in later turns",
    ),
    (
        "messages of one agent to another (`agent_message`), in Responses",
        "words of the user, where they are not OpenAI's own encrypted ones",
    ),
    (
        "any JSON object as the answer, and a schema of one to older Claude models, at Anthropic",
        "a tool that the model must call, whose argument is told as the text of the answer",
    ),
    (
        "results apart from their calls, ids of calls that repeat, calls or results alone",
        "in order, told apart; a call alone has no result, and a result alone is said in words",
    ),
    (
        "a call of another format, to a model of OpenAI that thinks, at a provider that speaks both of its formats",
        "a response: beside an effort, chats of those models take no functions",
    ),
    (
        "how long to think, and figures of sampling, to a model of OpenAI that takes none",
        "left out, and named in `x-tollhouse-dropped`; of efforts, the nearest that it takes",
    ),
    ("several allowed tools (`allowed_tools`), in a chat", "only those are told to the model"),
    ("pictures and documents in results of tools, in a chat", "in a message of the user that follows"),
    ("a text document, in OpenAI's formats", "text, after its name"),
    ("a budget of thinking tokens, in OpenAI's formats", "an effort: to 2,048 `low`, to 16,384 `medium`, above `high`"),
    (
        "what a tool takes: a schema without members, of no object at its top, or that tells ways apart there",
        "an object with all members that any way has; a list of which nothing is said holds anything",
    ),
    (
        "`strict`, with a schema that OpenAI does not keep to strictly, in OpenAI's formats",
        "`strict` is false, and the schema is kept to as well as the model can",
    ),
    ("who is the end user, in too many characters or, for Anthropic, as a mail address", "an id that is made of it"),
    ("more tokens than the model can answer with, where `max_output_tokens` says so", "as many as it can"),
    ("fewer than 16 tokens, in a response", "16, the fewest that it takes"),
    (
        "pictures, in a chat's answer (`modalities`)",
        "`message.images`, as OpenRouter has it; in a response, an item of its own",
    ),
    ("thoughts, in a chat's answer", "`reasoning_content`; `reasoning_details` where they are signed or hidden"),
    ("thoughts, in a response", "a reasoning item with a summary; `encrypted_content` where they are signed or hidden"),
    (
        "thoughts that a chat's provider writes into its text, between `<think>` and `</think>` at the beginning",
        "thoughts like all others, and go back to it so",
    ),
    (
        "a tool that must be called, to DeepSeek V4 and Kimi K2.5 and K2.6",
        "`thinking` is disabled: while they think they cannot be made to call",
    ),
    (
        "a form of the answer beside functions, to Gemini 2.5 and older",
        "words of the system, named in `x-tollhouse-dropped`",
    ),
    (
        "an answer that keeps to a JSON Schema, to DeepSeek",
        "any JSON object; the schema is told in words, and named in `x-tollhouse-dropped`",
    ),
    (
        "calls of earlier turns without thoughts, to a model that refuses them (Kimi, DeepSeek)",
        "`reasoning_content` of one blank",
    ),
    ("thoughts of a chat's provider", "go back to it under the name by which they came, and to no other"),
    ("what belongs to a call (Gemini's signature)", "in the id of the call, which clients send back"),
    (
        "a name of a tool that the provider's format does not take (dots, slashes, more than 64 characters)",
        "a name that it takes, the same in every turn: `files.read` is `files_read_` with eight digits; calls come "
        "back by the caller's",
    ),
    ("half of a surrogate pair", "U+FFFD; two that follow each other are the character that they are"),
)


def render(codecs: Iterable[Codec]) -> str:
    asked = sorted(
        (codec for codec in codecs if codec.wire in TRANSLATED and codec.words is not None and codec.words.says),
        key=lambda codec: codec.wire,
    )
    titles = [codec.words.title for codec in asked if codec.words is not None]
    lines = [
        f"| what a request asks for | feature | {' | '.join(titles)} |",
        "|---" * (len(titles) + 2) + "|",
    ]
    for name, (consequence, title) in FEATURES.items():
        cells = ["said" if codec.words and name in codec.words.says else consequence for codec in asked]
        lines.append(f"| {title} | `{name}` | {' | '.join(cells)} |")
    ways = [f"| {what} | {how} |" for what, how in _WAYS]
    told = [*lines, "", "## How some things are said", "", "| in the request or the answer | how |", "|---|---|", *ways]
    return _HEAD + "\n".join(told) + "\n"
