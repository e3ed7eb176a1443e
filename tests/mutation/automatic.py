"""Mutants made by operators on the syntax tree of the core, and a sample of them that other edits hardly change.

Left out because they can not change what the contract promises: docstrings, annotations and type aliases, imports,
``__all__``, the texts of errors (all that stands in a ``raise`` or in a call that never returns), strings in general,
``strict=`` of ``zip`` (a guard against defects), the first two arguments of symmetric functions, casts. The lines
``laws = named_laws("...")`` are in: a promise that is dropped must be noticed.
"""

import ast
from collections import Counter
from collections.abc import Iterator, Mapping

from tests.mutation.mutants import Mutant, digest

SAMPLE, SEED = 300, "flatmtl"

_COMPARISONS: dict[type[ast.cmpop], tuple[str, ...]] = {
    ast.Lt: ("<=", ">="),
    ast.LtE: ("<", ">"),
    ast.Gt: (">=", "<="),
    ast.GtE: (">", "<"),
    ast.Eq: ("!=",),
    ast.NotEq: ("==",),
    ast.Is: ("is not",),
    ast.IsNot: ("is",),
    ast.In: ("not in",),
    ast.NotIn: ("in",),
}
_ARITHMETIC: dict[type[ast.operator], str] = {
    ast.Add: "-",
    ast.Sub: "+",
    ast.Mult: "/",
    ast.Div: "*",
    ast.FloorDiv: "*",
    ast.Pow: "*",
    ast.BitOr: "&",
}
_TWINS = {"min": "max", "amax": "amin", "any": "all", "triu": "tril", "sub": "add", "add_": "sub_"}
_TWINS |= {"zeros_like": "ones_like", "zeros": "ones", "zero_": "detach"}
_TWINS |= {other: name for name, other in _TWINS.items() if name in ("min", "amax", "any")}
_SYMMETRIC = {"min", "max", "dot", "inner", "hypot", "promote_types", "add", "mul", "outer", "cast", "isinstance"}
_SYMMETRIC |= {"hasattr", "getattr"}
_LARGE = 20
"""An integer above this is a safety bound or a size: one more or less is no misreading, 1 is."""


class _Collector(ast.NodeVisitor):
    """Walks one file and notes (first offset, last offset, operator, replacement) with scope and lines."""

    def __init__(self, file: str, source: str) -> None:
        self.file, self.source = file, source
        self.starts = [0]
        for line in source.encode().split(b"\n"):
            self.starts.append(self.starts[-1] + len(line) + 1)
        self.raw = source.encode()
        self.scope: list[str] = []
        self.seen: Counter[tuple[str, ...]] = Counter()
        self.found: list[Mutant] = []
        tree = ast.parse(source)
        self.endless = {"_refuse", "non_finite"} | {
            node.name
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef)
            and node.returns is not None
            and ast.unparse(node.returns) in ("NoReturn", "NotConverged", "InvalidInput", "NonFinite")
        }
        self.visit(tree)

    def _span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        last = self.starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)
        return self.starts[node.lineno - 1] + node.col_offset, last

    def text(self, node: ast.expr) -> str:
        first, last = self._span(node)
        return self.raw[first:last].decode()

    def note(self, operator: str, node: ast.expr | ast.stmt, new: str, span: tuple[int, int] | None = None) -> None:
        first, last = span or self._span(node)
        old, scope = self.raw[first:last].decode(), ".".join(self.scope)
        mutated = (self.raw[:first] + new.encode() + self.raw[last:]).decode()
        if old == new:
            return
        place = (scope, operator, " ".join(old.split()), " ".join(new.split()))
        number = self.seen[place]
        self.seen[place] += 1
        start, end = node.lineno, node.end_lineno or node.lineno
        self.found.append(Mutant("automatic", operator, self.file, scope, old, new, number, start, end, mutated))

    def _named(self, node: ast.FunctionDef | ast.ClassDef) -> None:
        self.scope.append(node.name)
        for child in node.decorator_list:
            self.visit(child)
        if isinstance(node, ast.FunctionDef):
            for default in (*node.args.defaults, *(value for value in node.args.kw_defaults if value is not None)):
                self.visit(default)
        if isinstance(node, ast.FunctionDef) or not any(ast.unparse(base).endswith("Protocol") for base in node.bases):
            for statement in node.body:
                self.visit(statement)
        self.scope.pop()

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        if node.name != "__repr__" and node.name not in self.endless:
            self._named(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        if "Enum" not in {ast.unparse(base) for base in node.bases}:
            self._named(node)

    def visit_Import(self, node: ast.Import) -> None: ...

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None: ...

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None: ...

    def visit_Raise(self, node: ast.Raise) -> None:
        self.note("error not raised", node, "pass")

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None and ast.unparse(node.annotation) != "TypeAlias":
            self.visit(node.value)

    def visit_Assign(self, node: ast.Assign) -> None:
        target = ast.unparse(node.targets[0])
        if target == "__all__":
            return
        if isinstance(node.targets[0], ast.Subscript):
            self.note("statement dropped", node, "pass")
        self.visit(node.value)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        if ast.unparse(node.target) != "__all__":
            self.note("statement dropped", node, "pass")
            self.visit(node.value)

    def visit_Expr(self, node: ast.Expr) -> None:
        if isinstance(node.value, ast.Constant):
            return
        self.note("statement dropped", node, "pass")
        self.visit(node.value)

    def visit_Break(self, node: ast.Break) -> None:
        self.note("break and continue", node, "continue")

    def visit_Continue(self, node: ast.Continue) -> None:
        self.note("break and continue", node, "break")

    def visit_If(self, node: ast.If) -> None:
        single = isinstance(node.test, ast.Compare) and len(node.test.ops) == 1
        if not single and not isinstance(node.test, ast.UnaryOp):  # those are negated by their own operators
            self.note("condition negated", node.test, f"(not ({self.text(node.test)}))")
        self.note("condition fixed", node.test, "False")
        if node.orelse:
            self.note("condition fixed", node.test, "True")
        self.generic_visit(node)

    def visit_While(self, node: ast.While) -> None:
        self.note("condition fixed", node.test, "False")
        self.generic_visit(node)

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self.note("condition fixed", node.test, "True")
        self.note("condition fixed", node.test, "False")
        self.generic_visit(node)

    def visit_comprehension(self, node: ast.comprehension) -> None:
        for test in node.ifs:
            self.note("condition fixed", test, "True")
        self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> None:
        operands = [node.left, *node.comparators]
        for left, right, operator in zip(operands, operands[1:], node.ops, strict=False):
            for new in _COMPARISONS[type(operator)]:
                span = (self._span(left)[1], self._span(right)[0])
                self._between("comparison", node, span, new)
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        if (new := _ARITHMETIC.get(type(node.op))) and not isinstance(node.left, ast.JoinedStr):
            span = (self._span(node.left)[1], self._span(node.right)[0])
            self._between("arithmetic", node, span, new)
        self.generic_visit(node)

    def _between(self, operator: str, node: ast.expr, span: tuple[int, int], new: str) -> None:
        """Exchange what stands between two operands, keeping closing and opening brackets."""
        gap = self.raw[span[0] : span[1]].decode()
        head = gap[: len(gap) - len(gap.lstrip(") \n"))]
        tail = gap[len(gap.rstrip("( \n")) :]
        old, whole = self.text(node), self._span(node)
        shifted = (span[0] - whole[0], span[1] - whole[0])
        raw = old.encode()
        self.note(operator, node, (raw[: shifted[0]] + f"{head}{new}{tail}".encode() + raw[shifted[1] :]).decode())

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        new = " or " if isinstance(node.op, ast.And) else " and "
        self.note("and and or", node, "(" + new.join(f"({self.text(value)})" for value in node.values) + ")")
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        self.note("sign or negation dropped", node, f"({self.text(node.operand)})")
        self.visit(node.operand)

    def visit_Constant(self, node: ast.Constant) -> None:
        value = node.value
        if isinstance(value, bool):
            self.note("constant", node, str(not value))
        elif isinstance(value, int):
            options = {1} if abs(value) > _LARGE else {value + 1, value - 1}
            for number in sorted(options):
                self.note("constant", node, f"({number})" if number < 0 else str(number))
        elif isinstance(value, float):
            for new in {0.0: ("1.0",), 1.0: ("0.0", "2.0")}.get(value, ("0.0", f"(1000 * {self.text(node)})")):
                self.note("constant", node, new)

    def visit_Return(self, node: ast.Return) -> None:
        if node.value is not None:
            self.visit(node.value)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        self.visit(node.value)
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        for part in parts:
            if isinstance(part, ast.Slice):
                for end in (part.lower, part.upper):
                    if end is not None and not isinstance(end, ast.Constant):
                        self.note("slice", end, f"{self.text(end)} + 1")
            self.visit(part)

    def visit_Call(self, node: ast.Call) -> None:
        function = node.func
        name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        if name in self.endless or name.startswith("_refuse"):
            return
        if name == "named_laws":
            self._laws(node)
            return
        if name == "cast":
            return
        if twin := _TWINS.get(name):
            last = self._span(function)[1]
            self.note("function", function, twin, (last - len(name.encode()), last))
        plain = node.args[:2]
        if len(plain) == 2 and name not in _SYMMETRIC and not any(isinstance(part, ast.Starred) for part in plain):
            (start, left), (right, end) = map(self._span, plain)
            new = f"{self.text(plain[1])}{self.raw[left:right].decode()}{self.text(plain[0])}"
            self.note("arguments swapped", plain[0], new, (start, end))
        self.visit(function)
        for argument in node.args:
            self.visit(argument)
        for keyword in node.keywords:
            if not (name == "zip" and keyword.arg == "strict"):
                self.visit(keyword.value)

    def visit_Set(self, node: ast.Set) -> None:
        for index, member in enumerate(node.elts):
            if ast.unparse(member).startswith("Law."):
                kept = [self.text(other) for other in (*node.elts[:index], *node.elts[index + 1 :])]
                self.note("law dropped", node, "{" + ", ".join(kept) + "}" if kept else "set()")
        self.generic_visit(node)

    def _laws(self, node: ast.Call) -> None:
        if len(node.args) != 1 or not isinstance(node.args[0], ast.Constant):
            return
        names = str(node.args[0].value).split()
        for index in range(len(names)):
            kept = " ".join(names[:index] + names[index + 1 :])
            self.note("law dropped", node.args[0], f'"{kept}"')


def mutants_of(file: str, source: str) -> Iterator[Mutant]:
    """Every automatic mutant of one file."""
    yield from _Collector(file, source).found


def sample(files: Mapping[str, str], count: int = SAMPLE) -> list[Mutant]:
    """The mutants with the smallest hashes: which of two is taken does not depend on any third."""
    everything = [mutant for file, source in files.items() for mutant in mutants_of(file, source)]
    return sorted(everything, key=lambda mutant: digest([SEED, mutant.identity]))[:count]
