"""What a caller asks a model for, in words that belong to no vendor.

A format reads a request of its own into a `Conversation`, and writes one as a request of its own
(`core.words.FormatWords`). That happens only where the caller's format and the provider's differ; equal formats pass
their bytes on.

What a format cannot say is a matter of `core.features`.
"""

from typing import Literal

from msgspec import Raw, Struct

Role = Literal["system", "developer", "user", "assistant"]
"""Results of tools stand in messages of the role `user`: formats that have a role for them write them so."""
MediaKind = Literal["image", "audio", "video", "file"]
Choosing = Literal["auto", "none", "required", "named"]
CacheMark = Literal["", "5m", "1h"]
"""The provider may keep the prompt up to here so long; empty: there is no mark."""


class Opaque(Struct, frozen=True):
    """What only the maker of an answer can read, and wants back in the next turn: a signature, encrypted thoughts.

    format: the wire format of its maker, as `anthropic_messages`. data: as it came, or as JSON text where it is more
    than a text.
    """

    format: str
    data: str


class Citation(Struct, frozen=True, kw_only=True):
    """Where a text comes from. raw: as its maker wrote it, with `format` for who else can read it."""

    format: str
    raw: Raw
    url: str = ""
    title: str = ""
    quoted: str = ""  # the text that is cited
    start: int | None = None  # characters of the text that cites
    end: int | None = None


class TextPart(Struct, tag="text", kw_only=True):
    text: str
    citations: tuple[Citation, ...] = ()
    cache: CacheMark = ""
    opaque: Opaque | None = None


class MediaPart(Struct, tag="media", kw_only=True):
    """A picture, sound, film or document; one of `data` (base64), `url`, `file_id` and `text` says what it is."""

    kind: MediaKind
    data: str = ""
    url: str = ""
    file_id: str = ""
    text: str = ""  # of a document that is plain text
    media_type: str = ""  # `image/png`; empty: nobody said
    name: str = ""
    detail: str = ""  # how closely a picture is to be looked at: low, high, auto
    citations: bool = False  # the answer may cite it
    cache: CacheMark = ""


class ToolCall(Struct, tag="tool_call", kw_only=True):
    """A call that the model asks for. arguments: JSON text; of a custom tool, any text."""

    id: str
    name: str
    arguments: str = ""
    is_custom: bool = False
    opaque: Opaque | None = None
    cache: CacheMark = ""


class ToolResult(Struct, tag="tool_result", kw_only=True):
    """What a call gave. name: of the tool, where the format says it; else `core.pairing` fills it in."""

    id: str
    name: str = ""
    parts: list["TextPart | MediaPart"] = []
    is_error: bool = False
    is_custom: bool = False
    cache: CacheMark = ""


class Reasoning(Struct, tag="reasoning", kw_only=True):
    """Thoughts of the model. text: the thoughts, or a summary of them; empty: they are hidden, and `opaque` has them.

    id: of an item that has one.
    """

    text: str = ""
    is_summary: bool = False
    opaque: Opaque | None = None
    id: str = ""


class Refusal(Struct, tag="refusal", kw_only=True):
    """What the model says instead of an answer."""

    text: str


Part = TextPart | MediaPart | ToolCall | ToolResult | Reasoning | Refusal


class Message(Struct, kw_only=True):
    """path: where it stands in the caller's body, as `messages[1]`."""

    role: Role
    parts: list[Part]
    name: str = ""
    path: str = ""


class Tool(Struct, kw_only=True):
    """A tool that the model may call. parameters: a JSON Schema; None: it takes nothing. grammar: of a custom tool, the
    format of its text as OpenAI writes it; None: any text. stands_for: the caller's tool where that is no plain
    function, in words of the caller's format (`custom ...`: it takes text)."""

    name: str
    description: str = ""
    parameters: dict[str, object] | None = None
    strict: bool | None = None
    is_custom: bool = False
    grammar: dict[str, object] | None = None
    cache: CacheMark = ""
    stands_for: str = ""


class ToolChoice(Struct, frozen=True, kw_only=True):
    """names: of `named`, the one; of `required` and `auto`, those that may be called (none: all of them)."""

    choosing: Choosing
    names: tuple[str, ...] = ()
    is_custom: bool = False


class OutputForm(Struct, kw_only=True):
    """The form that the answer is to have. schema None: any JSON object."""

    schema: dict[str, object] | None = None
    name: str = ""
    description: str = ""
    strict: bool | None = None


class ReasoningAsked(Struct, frozen=True, kw_only=True):
    """How long the model is to think, and what of it may be told. One of `effort` and `budget` (tokens) may be named.

    enabled: False: not at all. summary: which summary is asked for (auto, concise, detailed); empty: none is named.
    visible: whether the thoughts are to be told; None: nobody said. encrypted: they are wanted back as `opaque`.
    """

    enabled: bool = True
    effort: str = ""  # minimal, low, medium, high, xhigh, max
    budget: int | None = None
    summary: str = ""
    visible: bool | None = None
    encrypted: bool = False


class Conversation(Struct, kw_only=True):
    """One request. `uses`: each feature (`core.features`) that it makes use of, and the member of the caller's body
    that does, as `messages[1].content[0]`: a format that cannot say it refuses or drops it by that name.

    `left_out`: what a writer leaves out because this one model does not take it, by the caller's members.
    """

    messages: list[Message]
    uses: dict[str, str] = {}
    left_out: list[str] = []
    tools: list[Tool] = []
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    output: OutputForm | None = None
    draws: bool = False  # the answer may have pictures
    output_cap: int | None = None  # tokens
    longest_answer: int | None = None  # tokens that the model can answer with, where that is known
    n: int = 1
    stop: list[str] = []
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    seed: int | None = None
    logit_bias: dict[str, float] | None = None
    logprobs: bool = False
    top_logprobs: int | None = None
    reasoning: ReasoningAsked | None = None
    verbosity: str = ""
    user: str = ""
    service_tier: str = ""  # one that changes what the provider bills
    answer_stands_for: str = ""  # what the text of the answer comes back as, in the words of the caller's format


def stand_ins(conversation: Conversation) -> dict[str, str]:
    """What tools stand for, by their names, of those whose calls come back as something else; by no name, what the
    text of the answer stands for."""
    found = {tool.name: tool.stands_for for tool in conversation.tools if tool.stands_for}
    return found | {"": conversation.answer_stands_for} if conversation.answer_stands_for else found
