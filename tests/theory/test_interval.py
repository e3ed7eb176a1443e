"""The kernels for inequalities: they grant, deny and give up, and refuse what they can not enclose."""

import math
from fractions import Fraction

import pytest
import sympy
from flint import arb
from hypothesis import given
from hypothesis import strategies as st

from theory.ledger import Verdict
from theory.proof.kernels import integers, interval, rays
from theory.proof.kernels.balls import above, ball, below, compiled
from theory.proof.kernels.integers import AllIntegers, OppositeIntegers
from theory.proof.kernels.interval import Claim, OppositeClaim, decide
from theory.proof.kernels.rays import OppositeRay, Ray

X, Y = sympy.symbols("x y", real=True)
N, T = sympy.symbols("n t", positive=True)
SMALL = sympy.Rational(1, 1000)


@pytest.mark.parametrize(
    ("expression", "box", "verdict"),
    [
        (sympy.exp(X) - 1 - X + SMALL, {X: (-1, 1)}, Verdict.ENCLOSED),
        (sympy.exp(X) - 1 - X - SMALL, {X: (-1, 1)}, Verdict.REFUTED),
        (X**2 - 2 * X * Y + Y**2 + SMALL, {X: (-1, 1), Y: (-1, 1)}, Verdict.ENCLOSED),
        (X**2 - X * Y + Y**2 - SMALL, {X: (-1, 1), Y: (-1, 1)}, Verdict.REFUTED),
        (sympy.erfc(X) + sympy.erf(X) - 1 + SMALL, {X: (0, 2)}, Verdict.ENCLOSED),
        (sympy.gamma(X) - sympy.Rational(22, 25), {X: (1, 2)}, Verdict.ENCLOSED),
        (sympy.gamma(X) - sympy.Rational(89, 100), {X: (1, 2)}, Verdict.REFUTED),
        (sympy.sqrt(2) - sympy.Rational(1414213562373095, 10**15), {}, Verdict.ENCLOSED),
        (1 / X, {X: (Fraction(-1, 3), 1)}, Verdict.REFUTED),
        (1 / X**2, {X: (Fraction(-1, 3), 1)}, Verdict.UNDECIDED),
        ((X - Fraction(1, 3)) ** 2, {X: (0, 1)}, Verdict.UNDECIDED),
        (sympy.sin(1) ** 2 + sympy.cos(1) ** 2 - 1, {}, Verdict.UNDECIDED),
    ],
    ids=str,
)
def test_a_box_is_granted_denied_or_undecided(expression: sympy.Expr, box: interval.Box, verdict: Verdict) -> None:
    assert decide(Claim(expression, box))[0] is verdict


def test_equality_tells_the_two_relations_apart() -> None:
    assert decide(Claim(sympy.Integer(0), {}, strict=False))[0] is Verdict.ENCLOSED
    assert decide(Claim(sympy.Integer(0), {}))[0] is Verdict.REFUTED
    assert decide(Claim(X - X**2, {X: (0, 1)}))[0] is Verdict.REFUTED, "it vanishes at a corner"


def test_limits_on_cells_and_on_precision_leave_it_undecided() -> None:
    close = Claim(sympy.exp(X) - 1 - X + sympy.Rational(1, 10**6), {X: (-1, 1)})
    assert decide(close)[0] is Verdict.ENCLOSED
    assert decide(close, cells=5)[0] is Verdict.UNDECIDED
    tiny = Claim(sympy.exp(sympy.Rational(1, 10**40)) - 1, {})
    assert decide(tiny)[0] is Verdict.ENCLOSED
    assert decide(tiny, bits=64)[0] is Verdict.UNDECIDED


def test_evidence_bounds_the_least_value_from_below() -> None:
    verdict, evidence = decide(Claim((X - 1) ** 2 + Fraction(1, 7), {X: (0, 3)}))
    assert verdict is Verdict.ENCLOSED
    assert 0 < float(evidence.split(">= ")[1]) <= 1 / 7


def test_without_a_twin_that_fails_nothing_is_proved() -> None:
    ray = Ray(N, N, 1, T, sympy.Integer(1), power=1)
    findings = [
        interval.positive("name", "1 > 0", Claim(sympy.Integer(1), {}), []),
        rays.positive("name", "n > 0", ray, [OppositeRay("the same", ray)]),
        integers.positive("name", "n > 0", AllIntegers(1, ray), [OppositeIntegers("the same", AllIntegers(1, ray))]),
    ]
    assert all(finding.verdict is Verdict.UNDECIDED for finding in findings)


def test_a_finding_names_its_witness() -> None:
    twin = OppositeClaim("2 in place of 1", Claim(X - 2, {X: (1, 2)}))
    finding = interval.positive("name", "x > 1/2 on [1, 2]", Claim(X - Fraction(1, 2), {X: (1, 2)}), [twin])
    assert finding.verdict is Verdict.ENCLOSED
    assert finding.twins[0].evidence == "f <= -1 at x = 1"


@pytest.mark.parametrize(
    ("box", "error"),
    [
        ({X: (0, 0.5)}, TypeError),
        ({X: (1, 0)}, ValueError),
        ({}, ValueError),
        ({X: (0, 1), N: (-1, 1)}, ValueError),
        ({X: (0, 1), sympy.Symbol("k", integer=True): (0, 1)}, ValueError),
    ],
    ids=str,
)
def test_malformed_boxes_are_refused(box: interval.Box, error: type[Exception]) -> None:
    with pytest.raises(error):
        Claim(X, box)


@pytest.mark.parametrize("expression", [X + 0.5, sympy.floor(X), sympy.Max(X, 0), sympy.oo], ids=str)
def test_what_has_no_enclosure_is_refused(expression: sympy.Expr) -> None:
    with pytest.raises(TypeError, match="no enclosure"):
        compiled(expression)


@given(st.fractions(-5, 5, max_denominator=50), st.fractions(0, 2, max_denominator=50), st.fractions(0, 1))
def test_a_ball_of_values_contains_the_value(low: Fraction, width: Fraction, share: Fraction) -> None:
    expression = sympy.exp(-(X**3)) / (1 + X**2) + sympy.atan(X) * sympy.log(3 + sympy.cos(X)) - X ** sympy.Integer(4)
    inside = low + share * width
    enclosure = compiled(expression)({X: ball((low, low + width))})
    assert enclosure.contains(compiled(expression)({X: ball((inside, inside))}).mid())


@given(st.fractions())
def test_digits_are_rounded_outward(value: Fraction) -> None:
    enclosure = ball((value, value))
    assert Fraction(below(enclosure)) <= value <= Fraction(above(enclosure))
    assert math.isclose(float(Fraction(below(enclosure))), value, rel_tol=0.011, abs_tol=0)


def test_a_ray_by_substitution_and_by_derivatives() -> None:
    cubic = N**3 - 4 * N
    assert rays.decide(Ray(cubic, N, 3, T, 1 - 4 * T**2, power=3))[0] is Verdict.ENCLOSED
    assert rays.decide(Ray(cubic, N, 3, T, 3 - 4 * T**2, power=2, order=1))[0] is Verdict.ENCLOSED
    root = Ray(sympy.sqrt(N) - sympy.log(N), N, 9, T, sympy.Rational(1, 2) - T, order=1, root=2, power=-1)
    assert rays.decide(root)[0] is Verdict.ENCLOSED
    assert integers.decide(AllIntegers(1, root))[0] is Verdict.ENCLOSED


def test_a_ray_is_denied_by_a_point_of_it_only() -> None:
    late = Ray(100 - sympy.log(N), N, 1, T, sympy.Integer(-1), order=1, power=-1)
    assert rays.decide(late)[0] is Verdict.UNDECIDED, "the logarithm reaches 100 beyond all samples"
    early = Ray(10 - sympy.log(N), N, 1, T, sympy.Integer(-1), order=1, power=-1)
    assert rays.decide(early) == (Verdict.REFUTED, "f <= -0.397 at n = 32768")
    dips = Ray((N - Fraction(3, 2)) ** 2 - SMALL, N, 1, T, (1 - 3 * T / 2) ** 2 - SMALL * T**2, power=2)
    assert rays.decide(dips)[0] is Verdict.UNDECIDED, "only near n = 3/2, which is no sample"
    assert integers.decide(AllIntegers(1, dips))[0] is Verdict.UNDECIDED, "true at integers, but not on the ray"


def test_a_wrong_or_incomplete_reduction_proves_nothing() -> None:
    wrong = Ray(N**2 - N + 1, N, 1, T, sympy.Integer(1), power=2)
    assert rays.decide(wrong)[0] is Verdict.UNDECIDED
    assert rays.decide(Ray(N - 5, N, 6, T, sympy.Integer(1), order=1))[0] is Verdict.ENCLOSED
    jumps = 1 + sympy.atan(1 / (5 - N))
    scaled = sympy.simplify(sympy.diff(jumps, N).subs(N, 1 / T) / T**2)
    ray = Ray(jumps, N, 2, T, scaled, order=1, power=-2)
    assert rays.decide(ray) == (Verdict.UNDECIDED, f"{jumps} is not seen to be smooth"), "1 - pi/2 beyond n = 5"


def test_integers_need_both_parts() -> None:
    ray = Ray(N**2 - 10 * N + 25 - SMALL, N, 6, T, 1 - 10 * T + (25 - SMALL) * T**2, power=2)
    assert rays.decide(ray)[0] is Verdict.ENCLOSED
    assert integers.decide(AllIntegers(1, ray)) == (Verdict.REFUTED, "f <= -0.000999 at n = 5")
    assert integers.decide(AllIntegers(6, ray))[0] is Verdict.ENCLOSED
    assert integers.decide(AllIntegers(1, ray), limit=5)[0] is Verdict.UNDECIDED


def test_a_box_of_further_symbols() -> None:
    ray = Ray(N - X, N, 3, T, 1 - X * T, power=1, box={X: (-1, 2)})
    assert integers.decide(AllIntegers(3, ray))[0] is Verdict.ENCLOSED
    short = Ray(N - X, N, 2, T, 1 - X * T, power=1, box={X: (-1, 2)})
    assert integers.decide(AllIntegers(2, short)) == (Verdict.REFUTED, "f <= 0 at n = 2, x = 2")


def test_malformed_rays_are_refused() -> None:
    with pytest.raises(ValueError, match="positive"):
        Ray(N, N, 0, T, sympy.Integer(1))
    with pytest.raises(ValueError, match="no rational root"):
        Ray(N, N, 2, T, sympy.Integer(1), root=2)
    with pytest.raises(ValueError, match="positive real symbols"):
        Ray(X, X, 1, T, sympy.Integer(1))
    with pytest.raises(ValueError, match="does not continue"):
        AllIntegers(2, Ray(N, N, 1, T, sympy.Integer(1), power=1))
    with pytest.raises(ValueError, match="does not continue"):
        AllIntegers(1, Ray(N, N, Fraction(3, 2), T, sympy.Integer(1), power=1))


def test_an_enclosure_that_is_not_finite_grants_nothing() -> None:
    assert not Claim(X, {X: (0, 1)}).granted_by(arb.nan())
    assert not Claim(X, {X: (0, 1)}).denied_by(arb.nan())
    assert decide(Claim(sympy.log(X - 2), {X: (0, 1)}))[0] is Verdict.UNDECIDED
