"""What a request may ask for that not every wire format can say, and what becomes of it where one cannot.

What would change the meaning of the answer is refused by the name of the caller's member; what only changes how well or
how fast it is made is dropped, and the answer's head names it. `docs/translation.md` is made from this table and from
what each format `says`.
"""

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Final, Literal, Protocol

from tollhouse.core.failure import UnsupportedParameter

NAMED_CHARACTERS_MAX: Final = 4_096
"""Of the members of one feature that are kept: nobody reads more, and joining ever longer texts takes time."""
Consequence = Literal["refused", "dropped"]

FEATURES: Final[Mapping[str, tuple[Consequence, str]]] = MappingProxyType(
    {
        "images": ("refused", "pictures, as data"),
        "image_urls": ("refused", "pictures, by address"),
        "audio": ("refused", "sound"),
        "video": ("refused", "films"),
        "files": ("refused", "documents, as data"),
        "file_urls": ("refused", "documents, by address"),
        "file_ids": ("refused", "files that a vendor keeps"),
        "file_addresses": ("refused", "files that a vendor keeps, by an address where only it gets in"),
        "tool_result_media": ("refused", "pictures and documents in results of tools"),
        "tool_errors": ("dropped", "that a tool failed, beside its words"),
        "message_names": ("dropped", "names of those who speak"),
        "cache_marks": ("dropped", "marks up to which a prompt is cached"),
        "citations": ("dropped", "citations, asked for or from earlier turns"),
        "reasoning_of_others": ("dropped", "thoughts of earlier turns by a model of another format"),
        "tools": ("refused", "functions"),
        "strict_tools": ("dropped", "functions whose arguments keep strictly to their schema"),
        "custom_tools": ("refused", "tools that take text"),
        "tool_grammars": ("dropped", "grammars of tools that take text, beside their words"),
        "built_in_tools": ("refused", "tools that the vendor runs"),
        "tool_history": ("dropped", "calls of tools that the vendor ran in earlier turns, and what they gave"),
        "offered_tools": ("dropped", "searches that the vendor runs, offered beside tools of the caller's own"),
        "tool_choice_named": ("refused", "one function that must be called"),
        "tool_choice_several": ("refused", "some of the functions that may be called"),
        "parallel_tool_calls": ("dropped", "whether several functions may be called at once"),
        "json_object": ("refused", "any JSON object as the answer"),
        "json_schema": ("refused", "an answer that keeps to a JSON Schema"),
        "output_grammars": ("refused", "an answer that keeps to a grammar"),
        "stop": ("refused", "texts at which the answer ends"),
        "stop_many": ("refused", "more than four such texts"),
        "n": ("refused", "several answers"),
        "logprobs": ("refused", "probabilities of tokens"),
        "logit_bias": ("refused", "biases for tokens"),
        "top_k": ("dropped", "sampling: top_k"),
        "min_p": ("dropped", "sampling: min_p"),
        "penalties": ("dropped", "sampling: penalties of presence and frequency"),
        "seed": ("dropped", "a seed"),
        "prediction": ("dropped", "a predicted answer"),
        "reasoning": ("dropped", "how long the model thinks"),
        "reasoning_off": ("dropped", "that the model does not think"),
        "verbosity": ("dropped", "how long the answer is"),
        "audio_output": ("refused", "sound as the answer"),
        "image_output": ("refused", "pictures as the answer"),
        "state": ("refused", "what the provider keeps of earlier turns"),
        "background": ("refused", "answers that are fetched later"),
        "store": ("dropped", "whether the provider keeps the answer"),
        "truncation": ("dropped", "leaving out what is too long"),
        "safety_settings": ("dropped", "settings of the vendor's filter"),
        "cached_content": ("refused", "a prompt that the vendor keeps"),
        "user": ("dropped", "who is the end user"),
        "metadata": ("dropped", "metadata"),
        "service_tier": ("refused", "a tier of service with a price of its own"),
        "cache_keys": ("dropped", "keys by which a vendor finds a cached prompt"),
        "suffix": ("refused", "what follows the text that is written"),
        "echo": ("refused", "the prompt repeated in the answer"),
        "best_of": ("refused", "answers to choose from"),
        "prompts": ("refused", "several prompts in one request"),
        "token_prompts": ("refused", "prompts of token ids"),
        "other": ("dropped", "members that this platform does not know"),
    }
)
"""A feature: what becomes of it where a format cannot say it, and what it is."""


class HasUses(Protocol):
    """A request in core words: see `core.conversation.Conversation`."""

    uses: dict[str, str]


def note(conversation: HasUses, feature: str, param: str) -> None:
    """The conversation uses a feature, by a member of the caller's body. Members of one feature are joined by commas,
    as `x-tollhouse-dropped` names them. Raises KeyError for what is no feature."""
    FEATURES[feature]
    known = conversation.uses.get(feature)
    if known is None:
        conversation.uses[feature] = param
    elif len(known) < NAMED_CHARACTERS_MAX:
        conversation.uses[feature] = f"{known}, {param}"


class HasLeftOut(HasUses, Protocol):
    """A request in core words, and what its writer leaves out."""

    left_out: list[str]


def leave_out(conversation: HasLeftOut, feature: str) -> None:
    """Note that this one model is not told what the caller asked for by this feature, or by a member that each format
    has."""
    conversation.left_out += conversation.uses.get(feature, feature).split(", ")


def untold(conversation: HasUses, says: Collection[str], format_title: str) -> tuple[str, ...]:
    """The members that a format drops, in the order in which they were read.

    Raises UnsupportedParameter for one that would change the meaning.
    """
    dropped: list[str] = []
    for feature, param in conversation.uses.items():
        if feature in says:
            continue
        consequence, title = FEATURES[feature]
        if consequence == "refused":
            first = param.partition(", ")[0]
            raise UnsupportedParameter(
                f"'{first}' cannot be passed on: the provider of this model is asked in the format of {format_title}, "
                f"which cannot say: {title}.",
                param=first,
            )
        dropped += param.split(", ")
    return tuple(dict.fromkeys(dropped))
