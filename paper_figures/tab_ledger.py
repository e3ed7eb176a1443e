"""Table T.1: every statement of the theory, what became of it, and how that is known."""

from collections import Counter
from collections.abc import Sequence

import msgspec

from paper_figures.exhibit import Columns, FileExhibit, Linked, Table
from paper_figures.ledger import KINDS, LEDGER, Theory, joined, place
from theory.blueprint import Kind
from theory.ledger import ORDER, Verdict
from theory.standing import Standing

SHORT = 160
"""Characters of evidence that a cell may hold."""


class LedgerRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One statement.

    Args:
        own, folded: its verdict, and the weakest one of all that it uses; ``inherited``: the statements that have it.
        findings, twins: how many statements were put to kernels, and how many planted neighbours with them.
        evidence: of the weakest finding, in short; the source of what is assumed; why there is none.
    """

    label: str
    kind: Kind
    words: str
    paper: str
    own: Verdict
    folded: Verdict
    inherited: str
    kernels: str
    findings: int
    twins: int
    evidence: str


def shortened(text: str) -> str:
    """On one line, cut where it is long."""
    line = " ".join(text.split())
    return line if len(line) <= SHORT else f"{line[: SHORT - 1].rstrip()}…"


def evidence(standing: Standing) -> str:
    """Of the weakest finding; the source of what is assumed; why nothing is known."""
    weakest = [finding.evidence for finding in standing.findings if finding.verdict is standing.own]
    return shortened(standing.stale or standing.entry.source or (weakest[0] if weakest else "it has no check"))


def data(theory: Theory) -> tuple[LedgerRow, ...]:
    """Every statement, by kind."""
    return tuple(
        LedgerRow(
            label=standing.entry.label,
            kind=kind,
            words=standing.entry.words,
            paper=standing.entry.paper,
            own=standing.own,
            folded=standing.folded,
            inherited=joined(standing.inherited),
            kernels=joined(dict.fromkeys(finding.kernel for finding in standing.findings)),
            findings=len(standing.findings),
            twins=sum(len(finding.twins) for finding in standing.findings),
            evidence=evidence(standing),
        )
        for kind in KINDS
        for standing in theory.of_kind(kind)
    )


def table(rows: Sequence[LedgerRow]) -> Table:
    """One section a kind, one line a statement."""
    return Table(
        columns=(
            Columns("", ("Label",)),
            Columns("", ("Statement", "In the paper"), cells="text"),
            Columns("Verdict", ("own", "with what it uses", "from"), cells="text"),
            Columns("Kernels", ("name", "evidence"), cells="text"),
            Columns("Asked", ("statements", "twins")),
        ),
        sections=tuple(
            (
                title,
                tuple(
                    (
                        Linked(row.label, name=place(row.label)),
                        row.words,
                        row.paper,
                        row.own.value,
                        row.folded.value,
                        row.inherited,
                        row.kernels,
                        row.evidence,
                        str(row.findings),
                        str(row.twins),
                    )
                    for row in rows
                    if row.kind == kind
                ),
            )
            for kind, title in KINDS.items()
            if any(row.kind == kind for row in rows)
        ),
    )


def counted(verdicts: Sequence[Verdict]) -> str:
    """How many of each, strongest first."""
    counts = Counter(verdicts)
    return joined(f"{counts[verdict]} {verdict}" for verdict in ORDER if counts[verdict])


def caption(theory: Theory) -> str:
    """What the verdicts mean, how many there are of each, and what is weak."""
    found = theory.found.values()
    simulated = sum(standing.simulated for standing in found)
    return (
        "Verdicts are computed. Exact identity: both sides are the same expression. Unsat: no real numbers deny the "
        "statement. Enclosed: interval arithmetic covers the whole domain. Enumerated: every case was computed. Not "
        "rejected: by a simulation at a stated level. Undecided: no kernel decided, or the text changed since. "
        "Refuted: there is a witness; of what is refuted the statement that is false is printed. Each statement stands "
        "beside twins, neighbours with a planted fault that the same kernel must judge the other way. Own: of the "
        "statement's own checks; with what it uses: the weakest verdict of all that its proof rests on. "
        f"Of {len(found)} statements, own: {counted([standing.own for standing in found])}; with what they use: "
        f"{counted([standing.folded for standing in found])}. On simulations alone: {simulated}."
    )


EXHIBIT = FileExhibit(
    name="table_t_1_ledger",
    location="Table T.1",
    title="The ledger of the theory",
    table=table,
    file=LEDGER,
    data=data,
    caption=caption,
)
