"""What the errors of Amazon Bedrock mean, whichever of its endpoints is called: see `error_rules`."""

from typing import Final

from tollhouse.providers.error_rules import ErrorRule, reader, rule

BEDROCK: Final[tuple[ErrorRule, ...]] = (
    rule("bad_key", "expiredtokenexception", "incompletesignature", "missingauthenticationtoken", source="docs"),
    rule(
        "bad_key",
        "signaturedoesnotmatch",
        "requestexpired",
        source="docs",
    ),
    rule("bad_key", says=r"the security token included in the request is (?:invalid|expired)", source="vercel/ai#4163"),
    rule(
        "bad_key",
        says=r"the request signature we calculated does not match|bearer token|invalid api key",
        source="docs",
    ),
    rule("no_permission", "accessdeniedexception", "notauthorized", "optinrequired", source="docs"),
    rule("no_permission", "ftuformnotfilled", "mpagreementbeingcreated", source="docs, 404 and 403"),
    rule("no_permission", says=r"model use case details have not been submitted", source="docs, with 404"),
    rule("saturated", "throttlingexception", "servicequotaexceededexception", source="docs, 429 and 400"),
    rule(
        "overloaded",
        "modelnotreadyexception",
        "serviceunavailableexception",
        source="docs, 429, 503",
    ),
    rule("broken", "modelerrorexception", "modelstreamerrorexception", status=424, source="docs"),
    rule(
        "no_such_model",
        says=r"invocation of model id .{1,200} with on-demand throughput isn.t supported",
        source="docs, 400",
    ),
    rule(
        "no_such_model",
        says=r"the provided model identifier is invalid|model `.{1,200}` isn.t supported on this route",
        source="docs",
    ),
    rule(
        "policy",
        says=r".*(?:blocked by (?:the )?(?:guardrail|content filter)|content filter policy)",
        status=400,
        source="docs",
    ),
)

read_bedrock_error: Final = reader(*BEDROCK, type_header=b"x-amzn-errortype")
