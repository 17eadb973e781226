"""The machine-readable words of providers' errors, in lower case, by what they mean.

Collected from the documentation and the reports of: OpenAI, Azure, Anthropic-shaped relays, Gemini's OpenAI layer,
Mistral, DeepSeek, DashScope, Moonshot, Zhipu, Groq, xAI, OpenRouter, Together, Fireworks, Cloudflare, Bedrock, vLLM,
llama.cpp, TGI, new-api. A word alone decides nothing: see `providers.openai_errors` and `reported`.
"""

from typing import Final

BAD_KEY: Final = frozenset(
    {"invalid_api_key", "api_key_invalid", "authentication_error", "invalid_authentication_error", "unauthenticated"}
    | {"account_deactivated", "incorrect_api_key_error", "unauthorized", "invalidapikey", "invalid_authentication"}
    | {"unrecognizedclientexception", "expiredtokenexception", "authenticationerror"}
)
EMPTY_ACCOUNT: Final = frozenset(
    {"insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "exceeded_current_quota_error"}
    | {"insufficient_balance", "insufficient_user_quota", "insufficient_credits", "arrearage", "billing_error"}
    | {"accountoverdueerror", "payment_required"}
)
SATURATED: Final = frozenset(
    {"rate_limit_exceeded", "rate_limit_error", "resource_exhausted", "too_many_requests", "rate_limit_reached"}
    | {"rate_limit_reached_error", "throttlingexception", "throttling", "throttling.ratequota", "rate_limited"}
)
OVERLOADED: Final = frozenset(
    {"overloaded_error", "overloaded", "engine_overloaded_error", "service_unavailable", "server_overloaded"}
    | {"server_is_overloaded", "serviceunavailableexception", "unavailable", "unavailable_error"}
)
CAPACITY: Final = OVERLOADED | {"capacity_exceeded"}
TOO_LONG: Final = frozenset(
    {"context_length_exceeded", "exceed_context_size_error", "context_window_exceeded", "prompt_too_long"}
    | {"contextwindowexceedederror", "context_window_exceeded_error", "model_context_window_exceeded"}
)
NO_PERMISSION: Final = frozenset(
    {"permission_error", "permission_denied", "permission_denied_error", "request_forbidden", "access_denied"}
    | {"unsupported_country_region_territory", "accessdenied", "accessdeniedexception", "access_terminated_error"}
    | {"forbidden_key", "ip_not_authorized", "model_permission_denied"}
)
POLICY: Final = frozenset(
    {"content_filter", "content_policy_violation", "responsibleaipolicyviolation", "data_inspection_failed"}
    | {"datainspectionfailed", "moderation_blocked", "content_policy", "image_content_policy_violation", "bio_policy"}
    | {"misalignment_policy_violation", "content_moderation", "new_sensitive", "sensitive_words_detected"}
)
NO_SUCH_MODEL: Final = frozenset(
    {"model_not_found", "deploymentnotfound", "invalid_model", "model_not_available", "model_decommissioned"}
    | {"model_not_exist", "modelnotfound", "model_not_supported"}
)
BAD_REQUEST: Final = frozenset(
    {"invalid_request_error", "invalid_argument", "badrequesterror", "invalid_value", "invalid_prompt", "bad_request"}
    | {
        "invalid_request",
        "validation_error",
        "validationexception",
        "validation",
        "invalidparameter",
        "image_generation_user_error",
    }
)
NOT_THE_REQUESTS: Final = frozenset({407, 421, 425})
"""Statuses from 400 to 499 that are not about the request: a proxy, a wrong connection, a repeat too early."""

ORIGINAL: Final = frozenset(
    # of any endpoint
    {"unsupported_parameter", "unsupported_value", "unknown_parameter", "missing_required_parameter", "invalid_type"}
    | {"invalid_value", "empty_array", "empty_string", "string_above_max_length", "string_below_min_length"}
    | {"array_above_max_length", "array_below_min_length", "object_above_max_properties", "invalid_json"}
    | {"integer_above_max_value", "integer_below_min_value", "decimal_above_max_value", "decimal_below_min_value"}
    | {"duplicate_value", "invalid_parameter_combination", "mutually_exclusive_parameters", "unsupported_content_type"}
    | {"invalid_prompt", "invalid_function_parameters", "invalid_json_schema", "invalid_encrypted_content"}
    | {"previous_response_not_found", "unsupported_file", "invalid_file", "file_not_found", "invalid_base64"}
    # content
    | {"content_filter", "content_policy_violation", "moderation_blocked", "bio_policy", "sanitizer_server_error"}
    | {"misalignment_policy_violation", "data_residency_mismatch"}
    # pictures, of the Responses API
    | {"invalid_image", "invalid_image_format", "invalid_base64_image", "invalid_image_url", "image_too_large"}
    | {"image_too_small", "image_parse_error", "image_content_policy_violation", "invalid_image_mode"}
    | {"image_file_too_large", "unsupported_image_media_type", "empty_image_file", "failed_to_download_image"}
    | {"image_file_not_found", "vector_store_timeout"}
    # Groq's, which clients of the OpenAI format act on
    | {"tool_use_failed", "json_validate_failed"}
)
"""Codes by which clients tell refusals apart: they stay as the provider wrote them. Each is about the request."""
