"""No secret of a known form stays in a text, wherever it stands; ordinary text stays as it is."""

import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from tollhouse.access.redaction import TEXT_MAX, redact

LOWER, UPPER, DIGITS = "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789"
WORD, HEX = LOWER + UPPER + DIGITS, DIGITS + "abcdef"
Draw = Callable[[str, int], str]
# Each vendor's form, as its documentation and its keys have it.
VENDORS: dict[str, Callable[[Draw], str]] = {
    "tollhouse": lambda draw: f"sk-th-live-{draw(WORD, 49)}",
    "OpenAI": lambda draw: f"sk-proj-{draw(WORD + '_-', 140)}",
    "OpenAI, old": lambda draw: f"sk-{draw(WORD, 48)}",
    "Anthropic": lambda draw: f"sk-ant-api03-{draw(WORD + '_-', 93)}AA",
    "Google": lambda draw: f"AIza{draw(WORD + '_-', 34)}x",
    "OpenRouter": lambda draw: f"sk-or-v1-{draw(HEX, 64)}",
    "DeepSeek": lambda draw: f"sk-{draw(HEX, 32)}",
    "Groq": lambda draw: f"gsk_{draw(WORD, 52)}",
    "xAI": lambda draw: f"xai-{draw(WORD, 80)}",
    "Hugging Face": lambda draw: f"hf_{draw(LOWER + UPPER, 34)}",
    "Replicate": lambda draw: f"r8_{draw(WORD, 37)}",
    "NVIDIA": lambda draw: f"nvapi-{draw(WORD + '_-', 63)}x",
    "Perplexity": lambda draw: f"pplx-{draw(WORD, 48)}",
    "Fireworks": lambda draw: f"fw_{draw(WORD, 24)}",
    "Zhipu": lambda draw: f"{draw(HEX, 32)}.{draw(WORD, 16)}",
    "AWS key id": lambda draw: f"AKIA{draw(UPPER + '234567', 16)}",
    "GitHub": lambda draw: f"ghp_{draw(WORD, 36)}",
    "GitLab": lambda draw: f"glpat-{draw(WORD, 20)}",
    "Slack": lambda draw: f"xoxb-{draw(DIGITS, 12)}-{draw(DIGITS, 12)}-{draw(WORD, 24)}",
    "Stripe": lambda draw: f"sk_live_{draw(WORD, 24)}",
    "Alibaba": lambda draw: f"LTAI5t{draw(WORD, 18)}",
    "JWT": lambda draw: f"eyJ{draw(WORD, 30)}.eyJ{draw(WORD, 60)}.{draw(WORD + '_-', 42)}x",
    "fal": lambda draw: f"{draw(HEX, 8)}-{draw(HEX, 4)}-{draw(HEX, 4)}-{draw(HEX, 4)}-{draw(HEX, 12)}:{draw(HEX, 32)}",
}
# Forms that only their place gives away.
IN_PLACE: dict[str, Callable[[Draw], str]] = {
    "Azure": lambda draw: draw(HEX, 31) + "a",
    "Mistral": lambda draw: f"{draw(WORD, 29)}aB1",
    "Cohere": lambda draw: f"{draw(WORD, 37)}aB1",
    "AWS secret": lambda draw: f"{draw(WORD + '+/', 37)}aB1",
}
SURROUNDINGS = (
    '{{"error": {{"message": "Incorrect API key provided: {0}.", "type": "invalid_request_error"}}}}',
    "curl https://api.example/v1/chat/completions -H 'Authorization: Bearer {0}' -d '{{}}'",
    'client = OpenAI(api_key="{0}")',
    "export OPENAI_API_KEY={0}\npython run.py",
    "x-api-key: {0}\r\ncontent-type: application/json",
)
PLACES = (
    'client = Mistral(api_key="{0}")',
    "Authorization: Bearer {0}",
    "api-key: {0}",
    '{{"api_key": "{0}", "model": "m"}}',
    "aws_secret_access_key = {0}",
)


def corpus() -> Iterator[tuple[str, str]]:
    """Each secret, and the text in which it stands."""
    random = Random(1)

    def draw(letters: str, count: int) -> str:
        return "".join(random.choice(letters) for _ in range(count))

    for _ in range(2):
        for form in VENDORS.values():
            for place in SURROUNDINGS:
                yield (secret := form(draw)), place.format(secret)
    for _ in range(4):
        for form in IN_PLACE.values():
            for place in PLACES:
                yield (secret := form(draw)), place.format(secret)


CORPUS = list(corpus())
PEM = f"-----BEGIN {'PRIVATE'} KEY-----"
PASSWORDS = (
    "postgresql://tollhouse:s3cr3t-word@db.example:5432/tollhouse",
    "redis://:hunter22@cache.example/0",
    "password: Tr0ub4dor&3x",
    "Cookie: __Host-session=3q2rN8; theme=dark",
    f"{PEM}\nMIIEvQIBADANBg\nkqhkiG9w0BAQ\n-----END PRIVATE KEY-----",
    "Authorization: Basic dXNlcjpwYXNzd29yZDEyMw==",
)


def test_no_secret_of_the_corpus_survives() -> None:
    assert len(CORPUS) >= 300
    assert len({*VENDORS, *IN_PLACE}) >= 20
    survived = [text for secret, text in CORPUS if secret in redact(text).text or secret[8:-4] in redact(text).text]
    assert survived == []


@pytest.mark.parametrize("text", PASSWORDS)
def test_passwords_and_keys_of_other_kinds_go(text: str) -> None:
    told = redact(text)
    assert told.found == 1
    for secret in ("s3cr3t-word", "hunter22", "Tr0ub4dor", "3q2rN8", "MIIEvQ", "dXNlcjp"):
        assert secret not in told.text


def ordinary() -> Iterator[str]:
    """Lines of the standard library's sources and of this project's documents."""
    library = Path(sysconfig.get_paths()["stdlib"])
    files = [*sorted(library.glob("*.py")), *sorted(library.glob("json/*.py")), *sorted(Path("docs").rglob("*.md"))]
    for file in files:
        yield from file.read_text(encoding="utf-8", errors="replace").splitlines()


def test_ordinary_text_stays() -> None:
    lines = list(ordinary())
    assert len(lines) > 100_000
    changed = [line for line in lines if redact(line).found]
    assert len(changed) < len(lines) / 1_000, changed[:50]


def test_what_support_needs_stays() -> None:
    text = (
        '{"error":{"message":"The model `gpt-5` does not exist.","type":"invalid_request_error",'
        '"code":"model_not_found"}}'
        "\nx-request-id: req_agrc2za2ohnv5ppl5dfbmtspni\nretry-after: 7\nmax_tokens: 4096, total_tokens=123456\n"
        "Authorization: Bearer $TOLLHOUSE_API_KEY\napi_key=os.environ['OPENAI_API_KEY']\n"
        "sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\n"
    )
    assert redact(text) == (text, 0)


def test_long_text_is_cut_and_takes_no_time_that_grows_faster_than_it() -> None:
    for piece in ("a", "=", "sk-", "key: ", "A1b", "://a:", PEM, "cookie: "):
        assert len(redact(piece * (TEXT_MAX // len(piece) + 9)).text) <= TEXT_MAX + 30
