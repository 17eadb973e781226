"""The frame around every page, and the only way text gets into one: escaped."""

from html import escape

STYLE = "/console/static/console.css"


def text(value: object) -> str:
    """Escaped for element content and for quoted attributes."""
    return escape(str(value), quote=True)


def code(value: object) -> str:
    return f"<code>{text(value)}</code>"


def link(target: str, words: str) -> str:
    """A link; only to http, https, mailto and places on this site, whatever a configuration says."""
    if not target.startswith(("https://", "http://", "mailto:", "/", "#")):
        return text(words)
    return f'<a href="{text(target)}">{text(words)}</a>'


def frame(title: str, platform: str, body: str) -> str:
    """A whole document. `body` is HTML that is already escaped."""
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{text(title)} · {text(platform)}</title>
<link rel="stylesheet" href="{STYLE}">
</head>
<body>
<a class="skip" href="#main">Skip to content</a>
<header>
<p class="brand">{link("/console/", platform)}</p>
<nav aria-label="Main"><ul><li>{link("/console/", "Overview")}</li><li>{link("/support", "Support")}</li></ul></nav>
</header>
<main id="main">
<h1>{text(title)}</h1>
{body}
</main>
<footer><p>Served by tollhouse</p></footer>
</body>
</html>
"""
