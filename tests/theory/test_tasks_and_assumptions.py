"""From one task to m, the maximum of a vector, the assumptions: verdicts, and the figures of the witnesses."""

from fractions import Fraction
from importlib import import_module

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import erf
from scipy.stats import norm

from theory.blueprint import BLUEPRINT
from theory.ledger import Finding, Verdict, weakest
from theory.proof.chain.drop_fixed_radii import always
from theory.proof.chain.drop_fixed_radii import case as radius_case
from theory.proof.chain.induction import LABELS, line_case
from theory.proof.chain.joint_coverage import arcs, forty

ENTRIES = {entry.label: entry for entry in BLUEPRINT}
HOLD = (
    "joint-coverage",
    "union-over-tasks",
    "coordinate-wise",
    "sup-of-sum",
    "common-vs-per-task",
    "gauss-semigroup",
    "gauss-second-order",
    "gauss-low-dimension",
    "gauss-high-dimension",
    "clipped-loss",
)
REFUTED = (
    "induction",
    "vector-max",
    "coordinate-not-scalar",
    "gauss-concave",
    "drop-bounded-loss",
    "drop-iid",
    "drop-fixed-radii",
)
PREMISES = ("bounded-loss", "iid-sample", "fixed-radii", "gauss-assumption")


def findings(label: str) -> list[Finding]:
    pairs = [check.split(":") for check in ENTRIES[label].checks]
    return [finding for module, function in pairs for finding in getattr(import_module(module), function)()]


@pytest.mark.parametrize("label", HOLD)
def test_statements_that_hold(label: str):
    found = findings(label)
    assert ENTRIES[label].expected == "holds"
    assert len({finding.name for finding in found}) == len(found) > 0
    proved = (Verdict.IDENTITY, Verdict.UNSAT, Verdict.ENUMERATED)
    assert weakest(finding.verdict for finding in found) in proved, [
        (finding.name, finding.evidence) for finding in found if finding.verdict not in proved
    ]


@pytest.mark.parametrize("label", REFUTED)
def test_statements_that_are_refuted(label: str):
    """Each finding is: one that holds or is open would hide behind the label's verdict."""
    found = findings(label)
    assert ENTRIES[label].expected == "refuted"
    assert {finding.verdict for finding in found} == {Verdict.REFUTED}


@pytest.mark.parametrize("label", PREMISES)
def test_premises_are_assumed_with_their_source(label: str):
    entry = ENTRIES[label]
    assert (entry.kind, entry.expected, entry.checks) == ("premise", "assumed", ())
    assert entry.source


@pytest.mark.parametrize("n_samples", [1, 2, 3, 4])
def test_joint_coverage_of_the_theorems_events(n_samples: int):
    """All labels zero: probability 2^-N for each task."""
    delta = Fraction(1, 2**n_samples)
    joint = {pair: line_case(pair, n_samples, delta).conclusion.left for pair in LABELS}
    assert joint == {
        "independent labels": (1 - delta) ** 2,
        "complementary labels": 1 - 2 * delta,
        "equal labels": 1 - delta,
    }


def test_a_wrong_level_would_not_meet_the_hypotheses():
    case = line_case("equal labels", 3, Fraction(1, 4))
    assert not all(hypothesis.true for hypothesis in case.hypotheses)


def test_forty_tasks_and_arcs_in_numbers():
    assert forty(40, Fraction(1)).conclusion.left == Fraction(19, 20) ** 40
    assert arcs(3, 10, 3, 0).conclusion.left == Fraction(1, 10)


def test_radii_fail_where_they_should():
    [one, two] = radius_case("", always(1)).hypotheses
    assert one.left == two.left == Fraction(3, 4)
    assert radius_case("", lambda z: 2 if z == 1 else 1).conclusion.left == Fraction(1)


@pytest.mark.parametrize("r", [0.5, 2.0, 10.0])
def test_three_dimensions_in_numbers(r: float):
    """E L_D(theta + eps) by quadrature of the noncentral radius against 1 - U(1 + v)."""
    v = 2.0

    def mass(a: float, at: float) -> float:
        return np.sqrt(np.pi / 2) * erf(at / np.sqrt(2 * a)) / at

    def radial(q: float) -> float:
        near, far = (norm.pdf(q + sign * r, scale=np.sqrt(v)) for sign in (-1, 1))
        return q / r * (near - far) * (1 - mass(1, q))

    noisy, _ = quad(radial, 0, r + 40)
    assert noisy == pytest.approx(1 - mass(1 + v, r), abs=1e-7)
    assert noisy > 1 - mass(1, r)


@pytest.mark.parametrize(("d", "w"), [(0.3, 1.0), (2.0, 0.5), (1.0, 30.0)])
def test_shifted_gaussians_in_numbers(d: float, w: float):
    scale = np.sqrt(w)
    distance, _ = quad(
        lambda z: abs(norm.pdf(z, scale=scale) - norm.pdf(z - d, scale=scale)), -60, 60, points=[d / 2], limit=200
    )
    assert distance == pytest.approx(2 * erf(d / (2 * np.sqrt(2 * w))), abs=1e-7)
