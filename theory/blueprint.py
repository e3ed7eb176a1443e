"""THE table: every statement with its label, what it says, what checks it, and what it uses. The page to audit.

Verdicts do not stand here: ``python -m theory verify`` computes them. ``expected`` says which outcome would surprise.
"""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["definition", "textbook", "premise", "lemma", "theorem", "equation", "remark"]
Expected = Literal["holds", "refuted", "assumed"]


@dataclass(frozen=True)
class Entry:
    """One statement.

    Args:
        label: its name in code, tests and report.
        kind: "textbook": a theorem of the literature; "premise": a statement about the world, assumed by a theorem;
            "remark": said of the theorem from outside.
        title: a few words.
        latex, words: the statement as a formula, and in plain words. Of what is refuted: the statement that is false.
        paper: where the paper says it; "ours" where it does not.
        checks: functions ``package.module:function`` that return its findings. None for what is assumed.
        code: functions of the other rooms that compute it.
        tests: pytest nodes ``tests/...py::test``.
        uses: labels that its proof rests on.
        source: citation, of a textbook fact or a premise.
        weaker: where the statement says less than the paper's wording: the reason.
    """

    label: str
    kind: Kind
    title: str
    latex: str
    words: str
    paper: str = "ours"
    checks: tuple[str, ...] = ()
    code: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()
    expected: Expected = "holds"
    source: str = ""
    weaker: str = ""


TEXTBOOK: tuple[Entry, ...] = (
    Entry(
        "integral",
        "textbook",
        "The integral is linear and monotone",
        r"f \le g \Rightarrow \mathbb{E} f \le \mathbb{E} g, \ \mathbb{E}(af + bg) = a \mathbb{E} f + b \mathbb{E} g",
        "Expectations are linear, and keep inequalities that hold at every point.",
        expected="assumed",
        source="P. Billingsley, Probability and Measure, 3rd ed. (1995), section 15",
    ),
    Entry(
        "fubini",
        "textbook",
        "The order of two integrals of a nonnegative function may be exchanged",
        r"\mathbb{E}_P \mathbb{E}_S f = \mathbb{E}_S \mathbb{E}_P f",
        "Tonelli's theorem, for a prior that does not depend on the sample.",
        expected="assumed",
        source="P. Billingsley, Probability and Measure, 3rd ed. (1995), theorem 18.3",
    ),
    Entry(
        "independence",
        "textbook",
        "The mean of a product of independent factors is the product of their means",
        r"\mathbb{E} \prod_n X_n = \prod_n \mathbb{E} X_n",
        "For independent, bounded or nonnegative, factors.",
        expected="assumed",
        source="P. Billingsley, Probability and Measure, 3rd ed. (1995), section 21",
    ),
    Entry(
        "subadditivity",
        "textbook",
        "Countable subadditivity",
        r"P(\bigcup_j A_j) \le \sum_j P(A_j)",
        "The union bound, over countably many events.",
        expected="assumed",
        source="P. Billingsley, Probability and Measure, 3rd ed. (1995), theorem 2.1",
    ),
    Entry(
        "fatou",
        "textbook",
        "Fatou's lemma for events",
        r"P(\liminf_n H_n) \le \liminf_n P(H_n)",
        "That all but finitely many H_n happen is no more probable than the lower limit of their probabilities.",
        expected="assumed",
        source="P. Billingsley, Probability and Measure, 3rd ed. (1995), theorem 4.1",
    ),
    Entry(
        "volume",
        "textbook",
        "Volume of a ball in R^k scales with the k-th power of its radius",
        r"\operatorname{vol}(B_{cR}) = c^k \operatorname{vol}(B_R)",
        "Lebesgue measure is additive, invariant under translations and homogeneous of degree k.",
        expected="assumed",
        source="P. Billingsley, Probability and Measure, 3rd ed. (1995), section 12",
    ),
)

CHAIN: tuple[Entry, ...] = ()

THEOREMS: tuple[Entry, ...] = ()

STEP: tuple[Entry, ...] = ()

BLUEPRINT: tuple[Entry, ...] = (*TEXTBOOK, *CHAIN, *THEOREMS, *STEP)
