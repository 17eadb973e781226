"""Rules about what code does: what it swallows, keeps, reads from the world, and how it counts money."""

import ast
import re
from collections.abc import Iterator

from tests.tidy.source import Finding, Source, dotted, enclosing, imports

_BROAD = frozenset({"Exception", "BaseException"})
_GUARD = re.compile(r"# guard:( [^ ]+){4,}")

_MUTABLE_NODES = (ast.Dict, ast.List, ast.Set, ast.DictComp, ast.ListComp, ast.SetComp)
_MUTABLE_MAKERS = re.compile(
    r"(\w+\.)*(dict|list|set|bytearray|defaultdict|deque|OrderedDict|ChainMap|count|cycle|local|Counter|Gauge|Histogram"
    r"|R?Lock|Condition|Event|Semaphore|(Simple)?Queue|Weak\w+)"
)
_READ_ONLY = re.compile(r"\b(Final|Mapping|Sequence|Collection|Iterable|AbstractSet|frozenset|tuple)\b")

_AMBIENT = re.compile(
    r"time\.(time|monotonic|perf_counter|process_time)(_ns)?|time\.(sleep|localtime|gmtime|ctime)"
    r"|(datetime\.)?datetime\.(now|utcnow|today)|(datetime\.)?date\.today"
    r"|os\.(urandom|getrandom)|random\.\w+|secrets\.\w+|uuid\.uuid[14]"
)
_AMBIENT_MODULES = frozenset({"time", "random", "secrets"})

_MONEY = re.compile(r"/core/amount\.py$|/billing/|/ledger[^/]*(\.py$|/)")


def swallowed(source: Source) -> Iterator[Finding]:
    """A guard may catch everything: a boundary where a defect of one caller must not harm the others. It says why."""
    cure = "it swallows defects too: name the exceptions that can happen here, or say `# guard: why` on the line"
    lines = source.text.splitlines()
    for node in source.nodes:
        caught: list[ast.expr] = []
        if isinstance(node, ast.ExceptHandler):
            if node.type is None:
                caught = [ast.Name("BaseException")]
            else:
                caught = list(node.type.elts) if isinstance(node.type, ast.Tuple) else [node.type]
        elif isinstance(node, ast.Call) and dotted(node.func).endswith("suppress"):
            caught = node.args
        else:
            continue
        if any(dotted(kind) in _BROAD for kind in caught) and not _GUARD.search(lines[node.lineno - 1]):
            yield Finding(f"{source.path}::{enclosing(source, node.lineno)}", node.lineno, cure)


def kept_state(source: Source) -> Iterator[Finding]:
    cure = "everybody could change it: annotate it as Mapping[...], use a tuple or frozenset, or hold it in an object"
    for node in source.tree.body:
        if isinstance(node, ast.Assign):
            names, value, hint = [dotted(target) for target in node.targets], node.value, ""
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            names, value, hint = [dotted(node.target)], node.value, ast.unparse(node.annotation)
        else:
            continue
        made = isinstance(value, ast.Call) and _MUTABLE_MAKERS.fullmatch(dotted(value.func))
        mutable = made or isinstance(value, _MUTABLE_NODES)
        if mutable and names != ["__all__"] and not _READ_ONLY.search(hint):
            yield Finding(f"{source.path}::{','.join(names)}", node.lineno, cure)
    for inner in source.nodes:
        if isinstance(inner, ast.Global):
            yield Finding(f"{source.path}::{','.join(inner.names)}", inner.lineno, cure)


def ambient(source: Source) -> Iterator[Finding]:
    cure = "time and randomness come in as arguments: take a core.clock.Clock or core.randomness.Randomness"
    if source.path.endswith("tollhouse/clock.py"):
        return
    imported = {name for _, name in imports(source)}
    for node in source.nodes:
        if isinstance(node, ast.Attribute) and _AMBIENT.fullmatch(name := dotted(node)):
            if name.partition(".")[0] in imported | {"date"}:  # or else the name is an argument, or a package of ours
                yield Finding(f"{source.path}::{name}", node.lineno, cure)
        elif isinstance(node, ast.ImportFrom) and node.module in _AMBIENT_MODULES:
            yield Finding(f"{source.path}::{node.module}", node.lineno, cure)


def money_as_float(source: Source) -> Iterator[Finding]:
    if not _MONEY.search(source.path):
        return
    for node in source.nodes:
        is_float = (
            (isinstance(node, ast.Call) and dotted(node.func) == "float")
            or (isinstance(node, ast.Constant) and isinstance(node.value, float))
            or (isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div))
        )
        if is_float:
            line = getattr(node, "lineno", 1)
            cure = "money is an integer of nano-USD: use int, // with a stated rounding, or Decimal"
            yield Finding(f"{source.path}::{enclosing(source, line)}", line, cure)
