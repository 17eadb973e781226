"""How the vendors of `presets` tell what went wrong, where the words that all use (`formats.openai.error_words`) do not
say it. A vendor that is not named here is read by those alone."""

from collections.abc import Mapping
from typing import Final

from tollhouse.providers.error_rules import ErrorRule, rule

RULES: Final[Mapping[str, tuple[ErrorRule, ...]]] = {
    "cerebras": (rule("overloaded", "queue_exceeded", status=429, source="reported: high traffic, of all callers"),),
    "cohere": (
        rule(
            "empty_account",
            says=r"you are using a trial key, which is limited to \d+ api calls / month",
            source="docs, 429",
        ),
        rule("policy", status=498, source="docs: blocked input, blocked output"),
        rule("broken", status=499, source="docs: cancelled"),
    ),
    "dashscope": (
        rule("saturated", "insufficient_quota", status=429, source="docs: tokens a minute"),
        rule("empty_account", "allocationquota.freetieronly", source="docs, 403"),
        rule(
            "empty_account",
            "arrearage",
            "prepaidbilloverdue",
            "postpaidbilloverdue",
            "commoditynotpurchased",
            source="docs",
        ),
        rule(
            "no_permission",
            "model.accessdenied",
            "workspace.accessdenied",
            "accessdenied.unpurchased",
            source="docs, 403",
        ),
        rule("no_permission", "app.accessdenied", source="docs, 403"),
        rule("policy", "ipinfringementsuspect", "faqruleblocked", "customroleblocked", source="docs, 400"),
        rule("timeout", "requesttimeout", "internalerror.timeout", "responsetimeout", source="docs, 500"),
    ),
    "deepseek": (
        rule("policy", says="content exists risk", status=400, source="BettaFish#108"),
        rule("no_such_model", says="model not exist", status=400, source="easy-dataset#9"),
    ),
    "fireworks": (
        rule("empty_account", says=r"account .{1,80} is suspended", status=412, source="pollinations#12136"),
        rule("no_such_model", "precondition_failed", status=412, source="docs: a LoRA that failed to load"),
        rule("no_permission", status=403, source="docs"),
    ),
    "groq": (
        rule("empty_account", "blocked_api_access", source="docs: spend limits, 400"),
        rule("no_permission", "organization_restricted", "model_permission_blocked_org", source="docs, 400"),
        rule("no_permission", "model_permission_blocked_project", source="docs, 403"),
        rule("no_permission", says="access denied", status=403, source="docs: network settings"),
    ),
    "jina": (
        rule(
            "empty_account",
            says="(?:account balance not enough|insufficient (?:account )?balance)",
            source="node-DeepResearch#21",
        ),
        rule("too_long", says=r".*exceeds? (?:the )?max(?:imum)? (?:input )?length of \d+ tokens", source="docs"),
    ),
    "lm_studio": (
        rule(
            "broken",
            says=r"the model has crashed|model (?:was )?unloaded|model is unloaded",
            source="lmstudio-bug-tracker",
        ),
        rule(
            "no_such_model",
            says=r"(?:failed to load model|no models? loaded|invalid model identifier)",
            source="lmstudio-bug-tracker",
        ),
    ),
    "minimax": (
        rule("empty_account", says="insufficient balance", source="MiniMax-M2#62, with 500"),
        rule("bad_key", "1004", source="docs"),
        rule("bad_key", says=r"(?:login fail|invalid api key)", source="docs"),
        rule("saturated", "1002", "1039", "1041", "2045", "2056", source="docs"),
        rule(
            "policy",
            says=r"(?:in|out)put new_sensitive|input content (?:is )?sensitive",
            source="docs, with 422 or 500",
        ),
        rule("timeout", "1001", source="docs"),
        rule("bad_request", "1042", "2013", source="docs"),
    ),
    "mistral": (
        rule("overloaded", says="service tier capacity exceeded", source="continue#6185"),
        rule("no_permission", status=403, source="docs: a model beyond the tier"),
    ),
    "moonshot": (
        rule("overloaded", "engine_overloaded_error", source="docs, 429"),
        rule("too_long", says=r"(?:invalid request: )?input token length too long", source="docs"),
    ),
    "nvidia": (
        rule("bad_key", says=r"authorization failed", status=403, source="OpenHarness#233"),
        rule(
            "no_permission",
            says=r"function '[0-9a-f-]{36}': not found for account",
            status=404,
            source="houston#1243: an account has only a part of what is listed",
        ),
    ),
    "openrouter": (
        rule(
            "saturated",
            "in_flight_budget_exhausted",
            source="docs, 402 with Retry-After",
        ),
        rule("empty_account", says=r"(?:key|budget|workspace) limit exceeded", status=403, source="docs"),
        rule(
            "policy", says=r".*(?:flagged|requires moderation|violation of provider terms)", status=403, source="docs"
        ),
        rule("no_permission", status=403, source="docs"),
        rule(
            "bad_request",
            says=r"no endpoints found that (?:support|can handle)",
            status=404,
            source="docs: tools, images",
        ),
        rule(
            "no_permission",
            says=r"no endpoints (?:found matching|available matching) your",
            status=404,
            source="docs: data policy",
        ),
        rule("no_such_model", says=r"\S{1,120} is not a valid model id", status=400, source="docs"),
        rule("overloaded", says=r"\S{1,120} is temporarily rate-limited upstream", status=429, source="docs"),
    ),
    "siliconflow": (
        rule("empty_account", "30001", "30011", source="OpenManus#438, with 403"),
        rule("no_such_model", "20012", "30003", source="docs"),
        rule("too_long", says=r".*must be less than max_seq_len", source="docs, 20015"),
        rule("no_permission", status=403, source="docs: a model for registered people"),
    ),
    "together": (rule("too_long", says=r".*input token count \+ max_tokens", source="docs, 403"),),
    "vllm": (
        rule("no_such_model", says=r"the model `.{1,200}` does not exist", source="vllm: NotFoundError"),
        rule("broken", says=r"engine ?(?:core|loop)? (?:encountered|is dead|died)", source="vllm: EngineDeadError"),
    ),
    "volcengine": (
        rule(
            "empty_account",
            "accountoverdueerror",
            "quotaexceeded",
            "setlimitexceeded",
            source="docs",
        ),
        rule("overloaded", "serveroverloaded", source="docs, 429"),
        rule("no_such_model", "invalidendpoint.closedendpoint", "invalidendpoint.notfound", source="docs, 400"),
        rule("policy", "sensitivecontentdetected", "sensitivecontentdetected.severeviolation", source="docs"),
        rule("policy", "sensitivecontentdetected.violence", source="docs"),
        rule("policy", "inputtextsensitivecontentdetected", "inputimagesensitivecontentdetected", source="docs"),
        rule("policy", "outputtextsensitivecontentdetected", "outputimagesensitivecontentdetected", source="docs"),
        rule("policy", "inputtextriskdetection", "inputimageriskdetection", "outputtextriskdetection", source="docs"),
        rule(
            "too_long",
            says=r".*exceeds? (?:the )?max(?:imum)? (?:message tokens|(?:context )?length)",
            status=400,
            source="docs",
        ),
    ),
    "xai": (
        rule("policy", says="content violates usage guidelines", status=403, source="inspect_ai#2267"),
        rule(
            "empty_account",
            says=r".{0,80}has either used all available credits",
            source="continue#10373, 429; koan#2412, 403",
        ),
        rule("empty_account", says="you have run out of credits", source="sub2api#4069, 403"),
        rule("bad_key", says="incorrect api key provided", status=400, source="continue#10778"),
        rule("no_permission", status=403, source="docs"),
    ),
    "zhipu": (
        rule("empty_account", "1113", source="docs, 429"),
        rule("no_permission", "1110", "1111", "1112", "1121", "1220", "1309", "1311", source="docs"),
        rule("no_such_model", "1211", "1221", "1222", source="docs, 400"),
        rule("overloaded", "1305", "1312", source="docs, 429: the model's load, not the account's"),
        rule("policy", "1301", source="docs, 400"),
        rule("too_long", "1261", source="docs, 400"),
    ),
}
