"""A request to a model as every format reads it: what decides something here, and the rest as it came."""

from collections.abc import Mapping
from typing import Final, Literal

from msgspec import Struct

from tollhouse.core.form import UploadedForm
from tollhouse.core.hosted_tools import HostedTool
from tollhouse.core.members import Members
from tollhouse.core.operation import Operation
from tollhouse.core.text_start import TextStart
from tollhouse.core.usage import Usage

VectorEncoding = Literal["float", "base64", "alone", "other"]
"""alone: the one vector stands alone in its answer, as Gemini has it. other: of another type than float32 (`int8`,
`binary`), or unknown: passed on as it came."""
NO_UNITS: Final = Usage()
BYTES_PER_TOKEN: Final = 4
"""What is reserved at limits for input that nobody has counted; corrected at settlement."""
MEDIA_TOKENS: Final = 1_000
"""Likewise for each part of media: about an image. A hold, which must be enough, counts on far more."""
COUNTED_BYTES_MAX: Final = 1024 * 1024
"""Of a body whose text is counted before a call: a quarter of a second, which nobody pays for if it does not fit after
all. What is longer fills the context of most models anyway, and no bound is above that."""


class ModelRequest(Struct, kw_only=True):
    """One call, read. `members` holds what its format keeps to write it for an upstream: of a JSON body every top-level
    member, in order, raw."""

    operation: Operation  # another than the path's where the body has the shape of that one
    members: Members
    model: str
    stream: bool = False
    wants_usage: bool = False  # stream_options.include_usage: show the usage chunk
    prompts: int = 1  # texts in it, each read for itself: as large as the context, every one
    n: int = 1  # answers to be generated, each as long as the output cap
    choices: int = 1  # those of them that come back
    output_cap: int | None = None  # tokens; where two caps are named, the larger
    cap_param: str | None = None  # the member that named it
    longest_answer: int | None = None  # tokens that the model can answer with, where that is known
    thinking: int = 0  # tokens of a thinking budget: a cap that is added lies above it
    uncapped: int = 0  # output tokens of an answer that its cap does not bound
    thinks_beside: bool = False  # it may write beside its cap (thoughts, pictures), for as long as it likes
    other_cap: int = 0  # the largest cap by a name that no provider is trusted to read: held for, bounding nothing
    reads_more: bool = False  # by a member that has a provider read more than it was sent, or may have
    tier: str = ""  # what the provider is asked to bill by; empty: its own price
    tier_param: str = ""  # the member that named it
    hosted: tuple[HostedTool, ...] = ()  # what the provider is to run for it, and bills beside tokens
    tools_there: int = 0  # of `tools`, how many the provider runs, or may run
    user: str | None = None
    metadata: dict[str, str] = {}  # only text values
    affinity: bytes = b""  # the start of the prompt: calls that share it profit from one provider's cache
    length: int = 0  # bytes of the body
    echoes: tuple[TextStart, ...] = ()  # prompts that answers are asked to begin with: no model wrote them there
    vectors: VectorEncoding = "other"  # how embeddings are to be written
    has_halves: bool = False  # of surrogate pairs: see `core.half_pairs`
    may_have_foreign: bool = False  # what another format's maker signed: see `core.opaque`
    dropped: tuple[str, ...] = ()  # members that do not go on to a provider, in small letters
    untold: tuple[str, ...] = ()  # members that the format of the provider that was asked last cannot say
    renamed: dict[str, str] = {}  # callers' names of tools by those that the provider that was asked last got
    stand_ins: Mapping[str, str] = {}  # functions that it was told of: see `core.conversation.stand_ins`
    style: str = ""  # the dialect that the answer is asked for in; empty: the path's own
    unit_tier: str = ""  # what a price by the unit is told apart by: `hd`, `standard-1792x1024`; empty: its own price
    unit_tier_param: str = ""  # the member that named it
    form: UploadedForm | None = None  # what it was asked for by, where that is no JSON
    as_events: bool = False  # of an answer that streams as bytes or as events: it is asked for as events


class InputBounds(Struct, frozen=True):
    """`bytes` of text with its JSON, `parts` of media in or beside it with so many tokens at most (`media`),
    `has_remote_input`: some is not in the body, or is of a kind that no size bounds. `image_tokens`, `audio_tokens`,
    `file_tokens`: tokens that pictures, sound and anything else count for where nobody reports them.
    `remote_tools`: nothing but so many of `tools` makes it so; 0: something else does.
    `units`: units besides tokens that the call uses at most; None: as its media and its text say. `known_units`: those
    of them that follow from the request, and are used whoever reports what."""

    bytes: int = 0
    parts: int = 0
    media: int = 0
    has_remote_input: bool = False
    image_tokens: int = 0
    audio_tokens: int = 0
    file_tokens: int = 0
    remote_tools: int = 0
    units: Usage | None = None
    known_units: Usage = NO_UNITS


class Prompt(Struct, frozen=True):
    """What a model is asked to read: `text`, and so many token ids beside it."""

    text: str
    ids: int


def tokens_reserved(request: ModelRequest, asked: InputBounds) -> int:
    """Tokens that a call counts for until it is known what it used."""
    tokens = asked.bytes // BYTES_PER_TOKEN + asked.parts * MEDIA_TOKENS
    return tokens if request.output_cap is None else tokens + request.output_cap * request.n


def is_countable(asked: InputBounds) -> bool:
    """Whether the input is all here, and short enough to be counted before a call."""
    return not asked.has_remote_input and asked.bytes <= COUNTED_BYTES_MAX
