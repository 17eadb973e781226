"""The members of a request, by what they can do to its cost.

Read in the API's reference (v1beta), in Vertex AI's, and in the types of google-genai. What stands nowhere here is
unknown: a call with it is held for the longest input and output.
"""

from typing import Final

BODY: Final = frozenset(
    (
        *("contents", "systemInstruction", "tools", "toolConfig", "safetySettings", "generationConfig"),
        *("cachedContent", "serviceTier", "labels", "store", "model", "modelArmorConfig"),
    )
)
CONFIG: Final = frozenset(
    (
        *("candidateCount", "stopSequences", "maxOutputTokens", "temperature", "topP", "topK", "seed"),
        *("presencePenalty", "frequencyPenalty", "responseMimeType", "responseSchema", "responseJsonSchema"),
        *("_responseJsonSchema", "responseLogprobs", "logprobs", "responseModalities", "speechConfig"),
        *("mediaResolution", "thinkingConfig", "imageConfig", "audioTimestamp", "enableEnhancedCivicAnswers"),
        *("enableAffectiveDialog", "routingConfig", "modelSelectionConfig", "responseFormat"),
    )
)
"""Of `generationConfig`."""
THINKING: Final = frozenset(("includeThoughts", "thinkingBudget", "thinkingLevel"))
"""Of `generationConfig.thinkingConfig`."""
CHOOSES_MODELS: Final = ("routingConfig", "modelSelectionConfig")
"""Members of `generationConfig` by which another model answers than the one that the key may call: they are dropped."""
WITHIN_THE_CAP: Final = frozenset(("TEXT", "AUDIO", "MODALITY_UNSPECIFIED"))
"""Modalities of an answer whose tokens lie under its cap; a picture has as many as it has."""
PLAIN_TIERS: Final = frozenset(("", "unspecified", "standard", "service_tier_unspecified", "default", "auto"))
OWN_TOOLS: Final = frozenset(("functionDeclarations",))
"""Tools that the caller runs; all others are run by the vendor, and read more than was sent."""
SEARCHES: Final = frozenset(
    (
        *("googleSearch", "googleSearchRetrieval", "urlContext", "enterpriseWebSearch", "googleMaps"),
        *("parallelAiSearch", "exaAiSearch"),
    )
)
"""Those that look something up, and do nothing else."""
COUNTED_SEARCHES: Final = SEARCHES - {"urlContext"}
"""Those that are billed by the query or by the prompt; a page by its address costs its tokens alone."""
UNBILLED: Final = frozenset(("urlContext", "codeExecution", "computerUse", "fileSearch", "mcpServers"))
"""Tools that cost their tokens alone."""
FUNCTION: Final = frozenset(
    (
        *("name", "description", "parameters", "parametersJsonSchema", "response", "responseJsonSchema"),
        "behavior",
    )
)
METADATA_MAX: Final = 64
