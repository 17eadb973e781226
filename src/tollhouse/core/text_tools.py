"""Tools that take text, as a model is told of them that knows functions alone."""

from tollhouse.core.conversation import Tool


def described(tool: Tool) -> str:
    """The description of the function that stands for it: the grammar, which nothing else keeps to, stands in it."""
    if tool.grammar is None:
        return tool.description
    syntax, definition = tool.grammar.get("syntax") or "", tool.grammar.get("definition") or ""
    return f"{tool.description}\n\n`input` keeps to this {syntax} grammar:\n\n{definition}".strip()
