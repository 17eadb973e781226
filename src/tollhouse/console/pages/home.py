"""/console/: what runs here, where it answers, and the first call."""

from msgspec import Struct

from tollhouse.console.page import code, link, text


class Facts(Struct, frozen=True, kw_only=True):
    """What runs, as the composition root knows it at this moment."""

    version: str
    ready: bool
    generation: int  # of the configuration
    models: int


TITLE = "Overview"


def body(base_url: str, facts: Facts) -> str:
    state = '<span class="ok">ready</span>' if facts.ready else '<span class="bad">not ready</span>'
    return f"""<p class="lead">One base URL and one key in front of every model.</p>
<section aria-labelledby="runs">
<h2 id="runs">What runs</h2>
<dl>
<dt>State</dt><dd>{state}</dd>
<dt>Version</dt><dd>{code(facts.version)}</dd>
<dt>Models</dt><dd>{text(facts.models)}</dd>
<dt>Configuration</dt><dd>generation {text(facts.generation)}</dd>
</dl>
</section>
<section aria-labelledby="connect">
<h2 id="connect">Connect</h2>
<dl>
<dt>Base URL</dt><dd>{code(base_url + "/v1")}</dd>
<dt>API key</dt><dd>begins with {code("sk-th-live-")}, or {code("sk-th-test-")} for free, simulated answers</dd>
</dl>
<pre tabindex="0" aria-label="A first call"><code>{text(_first_call(base_url))}</code></pre>
</section>
<section aria-labelledby="keys">
<h2 id="keys">API keys</h2>
<p>Keys are made, rotated and revoked on the command line of the platform:</p>
<pre tabindex="0" aria-label="Making a key"><code>tollhouse keys create my-first-key --account NAME</code></pre>
</section>
<section aria-labelledby="more">
<h2 id="more">More</h2>
<ul>
<li>{link("/v1/models", "Models")} that a key may call (needs a key)</li>
<li>{link("/api/openapi.json", "Control API")} as an OpenAPI document</li>
<li>{link("/readyz", "Readiness")} and {link("/healthz", "health")} for machines</li>
<li>{link("/support", "Support")}: five things to check, and whom to ask</li>
</ul>
</section>"""


def _first_call(base_url: str) -> str:
    return f"""curl {base_url}/v1/chat/completions \\
  -H "Authorization: Bearer $TOLLHOUSE_API_KEY" \\
  -H "Content-Type: application/json" \\
  -d '{{"model": "gpt-4o-mini", "messages": [{{"role": "user", "content": "Hello"}}]}}'"""
