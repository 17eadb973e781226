"""For which members of a chat the vendors of `presets` refuse the call, where others pass over what they do not know.

Clients send them to whomever they are pointed at, and bring what an earlier answer of another vendor held back with the
history: thoughts above all. Only what no answer depends on stands here; a vendor that cannot give probabilities, say,
has to refuse those. Which members a vendor reads is what its own SDK lists (mistralai/client-python, groq-python,
cerebras-cloud-sdk-python, fw-ai-external/python-sdk; Cohere: docs, Compatibility API).
"""

from collections.abc import Mapping
from typing import Final

from tollhouse.providers.kind import RefusedMembers

_OF_CLIENTS: Final = (
    "store",
    "metadata",
    "prompt_cache_key",
    "prompt_cache_retention",
    "safety_identifier",
    "verbosity",
)
_OF_ANSWERS: Final = dict.fromkeys(
    ("reasoning_content", "reasoning_details", "thinking_blocks", "refusal", "annotations", "images"), ""
)
"""What OpenAI and other vendors put beside the text of an answer, and clients send back with it."""
_MARKS: Final = {"cache_control": ""}


def _none(*names: str) -> dict[str, str]:
    return dict.fromkeys(names, "")


REFUSALS: Final[Mapping[str, RefusedMembers]] = {
    # qwen-code#11045, kilocode#10375: takes `reasoning` back, no `reasoning_content`; openclaude#740: `store`
    "cerebras": RefusedMembers(
        body=_none(*_OF_CLIENTS), messages={**_OF_ANSWERS, "reasoning_content": "reasoning"}, parts=_MARKS
    ),
    "cohere": RefusedMembers(
        body=_none("store", "metadata", "prediction", "parallel_tool_calls"),
        messages={**_OF_ANSWERS, "reasoning": ""},
        parts=_MARKS,
    ),
    "deepseek": RefusedMembers(messages={"reasoning": "reasoning_content"}),
    # opencode#4386: members that it does not know; claude-code-router#377: `cache_control`
    "fireworks": RefusedMembers(
        body=_none("store", "prompt_cache_retention", "safety_identifier", "verbosity"),
        messages={**_none(*(_OF_ANSWERS.keys() - {"reasoning_content"})), "reasoning": "reasoning_content", "name": ""},
        parts=_MARKS,
    ),
    # jan#8136, freellmapi#1070: `reasoning_content`; picoclaw#1196: `prompt_cache_key`; docs: no `name`
    "groq": RefusedMembers(
        body=_none(*_OF_CLIENTS),
        messages={**_OF_ANSWERS, "reasoning_content": "reasoning", "name": ""},
        parts=_MARKS,
    ),
    # openclaude#739, Flowise#2866, platform-docs-public#7, litellm#30882
    "mistral": RefusedMembers(
        body={
            **_none("store", "user", "prompt_cache_retention", "safety_identifier", "verbosity", "stream_options"),
            **_none("top_k", "min_p"),
            "seed": "random_seed",
        },
        messages={**_OF_ANSWERS, "reasoning": "", "name": "", "metadata": ""},
        parts=_MARKS,
    ),
    "moonshot": RefusedMembers(messages={"reasoning": "reasoning_content"}),
}
"""DeepSeek and Moonshot refuse a history with calls of tools whose thoughts are missing, and read them by one name."""
