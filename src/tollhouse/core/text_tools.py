"""Tools that take text, as a model is told of them that knows functions alone."""

from tollhouse.core.conversation import Tool


def described(tool: Tool) -> str:
    """The description of the function that stands for it: the grammar, which nothing else keeps to, stands in it."""
    if tool.grammar is None:
        return tool.description
    syntax, definition = tool.grammar.get("syntax") or "", tool.grammar.get("definition") or ""
    return f"{tool.description}\n\n`input` keeps to this {syntax} grammar:\n\n{definition}".strip()


def input_schema(name: str) -> dict[str, object]:
    """What a function takes that stands for a tool that takes text."""
    return {
        "type": "object",
        "properties": {"input": {"type": "string", "description": f"The whole input of {name}, as it is."}},
        "required": ["input"],
        "additionalProperties": False,
    }
