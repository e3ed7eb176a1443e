"""From one task to m, the maximum of a vector, the assumptions: verdicts, and the figures of the witnesses."""

from fractions import Fraction
from importlib import import_module

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import erf
from scipy.stats import norm

from theory.blueprint import BLUEPRINT
from theory.bounds import main_theorem
from theory.bounds.complexity import Setting
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
    "vacuous-at-size",
    "gauss-semigroup",
    "gauss-cosine",
    "gauss-small-variance",
    "gauss-maximum",
    "gauss-second-order",
    "gauss-low-dimension",
    "gauss-high-dimension",
    "clipped-loss",
)
REFUTED = (
    "induction",
    "vector-max",
    "coordinate-not-scalar",
    "gauss-sign",
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
    proved = (Verdict.IDENTITY, Verdict.UNSAT, Verdict.ENCLOSED, Verdict.ENUMERATED)
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


def waves(x: float) -> float:
    return 1 / 2 - np.cos(x) / 4 + np.cos(2 * x) / 8


def test_the_gaussian_mean_of_two_cosines_in_numbers():
    """At v = 4 against the sign of the second derivative, -1/4; at v = 1/100 with it."""
    gains = [
        quad(lambda x, scale=scale: norm.pdf(x, scale=scale) * (waves(x) - waves(0)), -12 * scale, 12 * scale)[0]
        for scale in (2.0, 0.1)
    ]
    assert gains[0] == pytest.approx((1 - np.exp(-2)) / 4 - (1 - np.exp(-8)) / 8, abs=1e-9)
    assert gains[0] > 0.091
    assert -0.01 / 8 < gains[1] < 0


def at_size(k_shared: int, norm_shared: float) -> Setting:
    """Two heads without norm; radii 1."""
    return Setting(
        k_shared=k_shared,
        k_heads=(1_010, 1_010),
        norm_shared=norm_shared,
        norm_heads=(0.0, 0.0),
        rho_shared=1.0,
        rho_heads=1.0,
        n_samples=200_000,
        delta=0.05,
    )


def test_no_bound_says_anything_at_the_size_of_resnet_18():
    """The bounds themselves, at the norms of the statement; at LeNet's size Theorem A is below L."""
    bounds = {
        0.0: (lambda s: main_theorem.theorem_a(s, 0), main_theorem.theorem_a_prime, main_theorem.theorem_c),
        1 / 3: (lambda s: main_theorem.theorem_b_root(s, 0),),
        1 / 100: (lambda s: main_theorem.theorem_1(s, 0), lambda s: main_theorem.theorem_b(s, 0)),
    }
    for shared, computed in bounds.items():
        assert all(bound(at_size(11_223_560, shared)).vacuous for bound in computed)
    assert not main_theorem.theorem_a(at_size(30_890, 0.0), 0).vacuous


@pytest.mark.parametrize(("d", "w"), [(0.3, 1.0), (2.0, 0.5), (1.0, 30.0)])
def test_shifted_gaussians_in_numbers(d: float, w: float):
    scale = np.sqrt(w)
    distance, _ = quad(
        lambda z: abs(norm.pdf(z, scale=scale) - norm.pdf(z - d, scale=scale)), -60, 60, points=[d / 2], limit=200
    )
    assert distance == pytest.approx(2 * erf(d / (2 * np.sqrt(2 * w))), abs=1e-7)
