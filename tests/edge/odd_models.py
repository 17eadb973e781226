"""Models with every name people give them, beside the demo's own; two have a date."""

NAMES = (
    "org/model",
    "org/team/model:free",
    "ft:gpt-4o:acme::7p4lURel",
    "模型-1",
    "Zollhaus am Fluß",
    "model.v1.5+x",
    "with%percent",
    "with?question",
    "with#hash",
    "a//b",
    "ends/",
    "models/inner/models/x",
    "x:generateContent",
    "b/x:countTokens",
    "models/x:embedContent",
    ":streamGenerateContent",
    "🛃",
    "e\N{COMBINING ACUTE ACCENT}",
    "é",
)

_MODEL = '[models."{}"]\noffers = [{{ provider = "main", model = "x" }}]\nfree = true\n'
CONFIG = (
    '[providers.main]\nkind = "simulator"\n'
    + "".join(map(_MODEL.format, NAMES))
    + _MODEL.format("dated")
    + 'retires_at = "2099-01-31"\nsuccessor = "org/model"\naliases = ["old/dated"]\n'
    + _MODEL.format("gone")
    + 'retires_at = "2020-01-31"\nsuccessor = "org/model"\n'
)
