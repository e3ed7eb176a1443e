"""The PAC-Bayesian half of the chain: what its kernels find, and the same statements in plain numbers."""

from importlib import import_module
from itertools import product

import numpy as np
import pytest
import sympy
import z3
from scipy.integrate import quad
from scipy.stats import binom, norm

from theory.blueprint import BLUEPRINT
from theory.ledger import Finding, Verdict, weakest
from theory.proof.chain.taylor import remainder, tangent
from theory.proof.kernels import algebra

ENTRIES = {entry.label: entry for entry in BLUEPRINT}
LABELS = (
    "log-tangent",
    "dv",
    "hoeffding-mgf",
    "markov",
    "alquier",
    "beta-sqrt-n",
    "gaussian-kl",
    "grid-kl",
    "bernoulli-convexity",
    "maurer-mgf",
    "foret-01",
    "scope",
    "theorem-1-single",
    "theorem-1",
)


def findings(label: str) -> list[Finding]:
    pairs = [check.split(":") for check in ENTRIES[label].checks]
    return [finding for module, function in pairs for finding in getattr(import_module(module), function)()]


@pytest.mark.parametrize("label", LABELS)
def test_statements_of_the_chain(label: str):
    """Each own statement is proved; that theorem-1 does not hold is the verdict of what it uses."""
    found = findings(label)
    assert len({finding.name for finding in found}) == len(found) > 0
    proved = (Verdict.IDENTITY, Verdict.UNSAT, Verdict.ENUMERATED)
    assert weakest(finding.verdict for finding in found) in proved, [
        (finding.name, finding.evidence) for finding in found if finding.verdict not in proved
    ]
    assert all(twin.verdict is Verdict.REFUTED for finding in found for twin in finding.twins)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def kl(p: np.ndarray, q: np.ndarray) -> float:
    inside = p > 0
    return float(np.sum(p[inside] * np.log(p[inside] / q[inside])))


def test_donsker_varadhan_in_numbers(rng: np.random.Generator):
    for _ in range(50):
        p, q, f = rng.dirichlet(np.ones(5)), rng.dirichlet(np.full(5, 0.3)), rng.normal(size=5, scale=3)
        right = np.log(p @ np.exp(f))
        assert q @ f <= kl(q, p) + right + 1e-12
        tilted = p * np.exp(f - right)
        assert tilted @ f == pytest.approx(kl(tilted, p) + right)


def test_hoeffding_in_numbers(rng: np.random.Generator):
    for n, b in product((1, 2, 3), (-7.0, -1.0, 0.5, 4.0)):
        losses, weights = np.array([-1.0, *rng.uniform(-1, 2, size=2), 2.0]), rng.dirichlet(np.ones(4))
        single = weights @ np.exp(b / n * (weights @ losses - losses))
        assert single**n <= np.exp(b**2 * 3**2 / (8 * n))


def test_gaussian_divergence_in_numbers():
    theta, sigma, prior = np.array([0.7, -1.3]), 0.6, 1.1

    def integrand(x: float, mean: float) -> float:
        log_q = norm.logpdf(x, mean, sigma)
        return float(np.exp(log_q) * (log_q - norm.logpdf(x, 0, prior)))

    value = sum(quad(integrand, mean - 8, mean + 8, args=(mean,))[0] for mean in theta)
    s = sigma**2 + theta @ theta / 2
    assert value == pytest.approx((2 * s / prior**2 - 2 + 2 * np.log(prior**2 / sigma**2)) / 2)


def binary(p: float, q: float) -> float:
    return kl(np.array([p, 1 - p]), np.array([q, 1 - q]))


def test_maurer_in_numbers(rng: np.random.Generator):
    """Three-valued losses deviate less than 0-1 losses of the same mean, and those less than 2 sqrt N."""
    for n in (1, 2, 4):
        losses, weights = np.array([0.0, rng.uniform(), 1.0]), rng.dirichlet(np.ones(3))
        mean = float(weights @ losses)
        indices = [list(index) for index in product(range(3), repeat=n)]
        general = sum(weights[i].prod() * np.exp(n * binary(losses[i].mean(), mean)) for i in indices)
        bits = sum(binom.pmf(k, n, mean) * np.exp(n * binary(k / n, mean)) for k in range(n + 1))
        assert general <= bits * (1 + 1e-12)
    for n in (1, 7, 8, 9, 100, 2000):
        xi = sum(binom.pmf(k, n, k / n) for k in range(n + 1))
        assert np.sqrt(n) <= xi <= 2 * np.sqrt(n) * (1 + 1e-12)
        assert xi <= 2 + np.sqrt(np.pi * n / 2)


def test_a_remainder_that_may_be_negative_is_not_proved():
    end, second = z3.Reals("end second")
    concave = remainder("concave", "", [second < 0], (z3.RealVal(0), end, second))
    assert concave.verdict is Verdict.UNDECIDED
    assert remainder("convex", "", [second > 0], (z3.RealVal(0), end, second)).verdict is Verdict.UNSAT


def test_tangent_at_a_point():
    t, to = sympy.symbols("t to")
    assert sympy.expand(tangent(t**2, t, sympy.Integer(3), to)) == 6 * to - 9


def test_a_witness_assigns_symbols_that_simplification_removed():
    q, mass = sympy.symbols("q Z", positive=True)
    f = sympy.Symbol("f", real=True)
    verdict, evidence = algebra.decide(sympy.log(q) + sympy.log(mass) - f, sympy.log(q * sympy.exp(-f)))
    assert verdict is Verdict.REFUTED
    assert all(f"{symbol} = " in evidence for symbol in (q, mass, f))
