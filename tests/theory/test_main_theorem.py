"""Theorem 1 and the theorems in its place as numbers: against ball arithmetic, order relations, refused arguments."""

import dataclasses
import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest
from flint import arb, ctx
from hypothesis import given
from hypothesis import strategies as st

from experiments.models import build_model
from experiments.spec import CLASSES
from theory.bounds import foret, main_theorem
from theory.bounds.complexity import ROOT, Complexity, Setting, Term
from theory.bounds.main_theorem import doublings
from theory.bounds.quantities import InvalidBound

THEOREMS: dict[str, Callable[[Setting, int], Complexity]] = {
    "1": main_theorem.theorem_1,
    "1 corrected": main_theorem.theorem_1_corrected,
    "A": main_theorem.theorem_a,
    "A'": lambda setting, task: main_theorem.theorem_a_prime(setting),
    "B": main_theorem.theorem_b,
    "B, square root": main_theorem.theorem_b_root,
    "C": lambda setting, task: main_theorem.theorem_c(setting),
    "C, n = 7": lambda setting, task: main_theorem.theorem_c(setting, 7),
    "Foret": foret.foret,
    "Foret corrected": foret.foret_corrected,
}
NAMES = st.sampled_from(sorted(THEOREMS))
NORMS = st.one_of(st.just(0.0), st.floats(1e-6, 1e6))
RADII = st.floats(1e-4, 1e4)


@st.composite
def settings(draw: st.DrawFn, least_samples: int = 2) -> Setting:
    """Every argument over many decades; one to four tasks, at least two samples (Foret's bound divides by N - 1)."""
    heads = draw(st.lists(st.tuples(st.integers(1, 10**6), NORMS), min_size=1, max_size=4))
    return Setting(
        k_shared=draw(st.integers(1, 10**8)),
        k_heads=tuple(size for size, _ in heads),
        norm_shared=draw(NORMS),
        norm_heads=tuple(norm for _, norm in heads),
        rho_shared=draw(RADII),
        rho_heads=draw(RADII),
        n_samples=draw(st.integers(least_samples, 10**9)),
        delta=draw(st.floats(1e-12, 0.999)),
        limit=draw(st.floats(1e-3, 1e3)),
    )


@pytest.fixture(autouse=True)
def digits() -> Any:
    ctx.prec = 300
    yield
    ctx.default()


def exact_doublings(norm: float, radius: float) -> int:
    """The smallest a >= 0 with norm <= radius 2^a."""
    return next(a for a in range(3000) if Fraction(norm) <= Fraction(radius) * 2**a)


def cells(size: int, norm: float, radius: float) -> arb:
    return size * (5 + 8 * arb(norm) / arb(radius)).log()


def gaussian(size: int, ratio: arb, log_n: arb) -> arb:
    return arb(size) / 2 * (1 + ratio**2 * (1 + (log_n / size).sqrt()) ** 2).log()


def exact_theorem_1(s: Setting, task: int) -> arb:
    size, rho = s.k_shared + s.k_heads[task], min(arb(s.rho_shared), arb(s.rho_heads))
    ratio = (arb(s.norm_shared) ** 2 + arb(s.norm_heads[task]) ** 2).sqrt() / rho
    bracket = arb(1) / 2 + gaussian(size, ratio, arb(s.n_samples).log()) + (1 / arb(s.delta)).log()
    return (bracket + 6 * arb(s.n_samples + size).log() + arb(s.limit) ** 2 / 8) / arb(s.n_samples).sqrt()


def exact_kl(s: Setting, task: int) -> arb:
    log_n, head = arb(4 * s.n_samples).log(), s.k_heads[task]
    shared = gaussian(s.k_shared, arb(s.norm_shared) / arb(s.rho_shared), log_n) + arb(1) / (4 * s.k_shared)
    return shared + gaussian(head, arb(s.norm_heads[task]) / arb(s.rho_heads), log_n) + arb(1) / (4 * head)


def exact_joint(s: Setting) -> arb:
    blocks = [(s.k_shared, s.norm_shared, s.rho_shared)]
    blocks += [(size, norm, s.rho_heads) for size, norm in zip(s.k_heads, s.norm_heads, strict=True)]
    total, product = (1 / arb(s.delta)).log(), 1
    for size, norm, radius in blocks:
        total += cells(size, norm, radius)
        product *= 1 + exact_doublings(norm, radius)
    return total + 2 * arb(product).log() + (s.tasks + 1) * (arb.pi() ** 2 / 6).log()


def exact_a(s: Setting, task: int) -> arb:
    shared, head = (s.norm_shared, s.rho_shared), (s.norm_heads[task], s.rho_heads)
    product = (1 + exact_doublings(*shared)) * (1 + exact_doublings(*head))
    inside = cells(s.k_shared, *shared) + cells(s.k_heads[task], *head) + (s.tasks / arb(s.delta)).log()
    inside += 2 * arb(product).log() + 2 * (arb.pi() ** 2 / 6).log()
    return arb(s.limit) * (inside / (2 * s.n_samples)).sqrt()


def exact_c(s: Setting, pieces: int) -> arb:
    inside = exact_joint(s) + s.tasks * arb(pieces).log() + arb(s.tasks).log()
    return arb(s.limit) * ((inside / (2 * s.n_samples)).sqrt() + arb(1) / pieces)


def exact_foret(s: Setting, task: int, *, published: bool) -> arb:
    size, n, rho = s.k_shared + s.k_heads[task], s.n_samples, min(arb(s.rho_shared), arb(s.rho_heads))
    ratio = (arb(s.norm_shared) ** 2 + arb(s.norm_heads[task]) ** 2).sqrt() / rho
    half, limit = gaussian(size, ratio, arb(n).log()), arb(s.limit)
    if published:
        inside = 2 * half + 4 * (n / arb(s.delta)).log() + 8 * arb(6 * n + 3 * size).log()
        return (inside / (n - 1)).sqrt()
    inside = half + arb(1) / (4 * size) + (2 * arb(n).sqrt() * s.tasks / arb(s.delta)).log()
    inside += 2 * (arb(129) / 100 * (1 + 4 * n)).log()
    return limit / arb(n).sqrt() + limit * (inside / (2 * n)).sqrt()


def exact_value(name: str, s: Setting, task: int) -> arb:
    """The formula as it stands in the theorem."""
    n, limit = s.n_samples, arb(s.limit)
    root_n, tasks = arb(n).sqrt(), s.tasks / arb(s.delta)
    match name:
        case "1":
            return exact_theorem_1(s, task)
        case "1 corrected":
            return exact_theorem_1(s, task) + (limit + arb(s.tasks).log()) / root_n
        case "A":
            return exact_a(s, task)
        case "A'":
            return limit * (exact_joint(s) / (2 * n)).sqrt()
        case "B":
            rest = tasks.log() + 4 * (arb(129) / 100 * (1 + 2 * limit * root_n)).log() + limit**2 / 8
            return (limit + exact_kl(s, task) + rest) / root_n
        case "B, square root":
            inside = exact_kl(s, task) + (2 * root_n * tasks).log() + 4 * (arb(129) / 100 * (1 + 4 * n)).log()
            return limit / root_n + limit * (inside / (2 * n)).sqrt()
        case "C, n = 7":
            return exact_c(s, 7)
        case "Foret" | "Foret corrected":
            return exact_foret(s, task, published=name == "Foret")
        case _:
            return exact_c(s, next(k for k in range(math.isqrt(n), n + 2) if k * k >= n))


@given(NAMES, settings(), st.integers(0, 3))
def test_values_are_rounded_up_and_no_further(name: str, setting: Setting, chosen: int) -> None:
    task = chosen % setting.tasks
    exact, found = exact_value(name, setting, task), THEOREMS[name](setting, task)
    assert arb(found.value) >= exact
    assert found.value == pytest.approx(float(exact.mid()), rel=1e-12)
    assert found.vacuous == (found.value >= setting.limit)


def test_pi_is_enclosed() -> None:
    assert arb(main_theorem.PI.low) < arb.pi()
    assert arb.pi() < arb(main_theorem.PI.high)


@given(NORMS, RADII)
def test_doublings_are_exact(norm: float, radius: float) -> None:
    assert doublings(norm, radius) == exact_doublings(norm, radius)


def test_doublings_at_a_power_of_two_and_beside_it() -> None:
    radius = 0.05
    norms = [radius, math.nextafter(radius, 1), 8 * radius, math.nextafter(8 * radius, 1), 0.0, radius / 3]
    assert [doublings(norm, radius) for norm in norms] == [0, 1, 3, 4, 0, 0]


@given(NAMES, settings())
def test_terms_add_up(name: str, setting: Setting) -> None:
    """In every theorem, and under every root; C / (2N) under the root is written out again here."""
    found = THEOREMS[name](setting, 0)
    assert math.fsum(term.value for term in found.terms) == pytest.approx(found.value, rel=1e-14)
    assert len({term.name for term in found.terms}) == len(found.terms)
    roots = [term.value for term in found.terms if term.name == ROOT]
    assert bool(roots) == bool(found.radicand) == (name[0] != "1" and name != "B")
    for root in roots:
        inside = math.fsum(term.value for term in found.radicand)
        assert root == pytest.approx(setting.limit * math.sqrt(inside / (2 * setting.n_samples)), rel=1e-12)


@pytest.mark.parametrize("name", sorted(THEOREMS))
def test_a_record_whose_terms_do_not_add_up_is_refused(name: str) -> None:
    found = THEOREMS[name](Setting(50, (11, 12), 3.0, (2.0, 1.0), 0.05, 0.1, 2_000, 0.05), 1)
    for part in ("terms", "radicand"):
        for term in getattr(found, part):
            others = [other for other in getattr(found, part) if other is not term]
            wrong = (*others, Term(term.name, term.value * (1 + 1e-6)))
            with pytest.raises(ValueError, match="do not add up"):
                dataclasses.replace(found, **{part: wrong})
    with pytest.raises(ValueError, match="do not add up"):
        dataclasses.replace(found, value=math.nextafter(math.fsum(term.value for term in found.terms), 0))


def rises(name: str, low: Setting, high: Setting) -> bool:
    """Up to the rounding of two values."""
    return THEOREMS[name](low, 0).value <= THEOREMS[name](high, 0).value * (1 + 1e-12)


@given(NAMES, settings(), NORMS, NORMS)
def test_values_rise_with_the_norms(name: str, setting: Setting, one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert rises(name, dataclasses.replace(setting, norm_shared=low), dataclasses.replace(setting, norm_shared=high))
    heads = setting.norm_heads[1:]
    assert rises(
        name,
        dataclasses.replace(setting, norm_heads=(low, *heads)),
        dataclasses.replace(setting, norm_heads=(high, *heads)),
    )


@given(NAMES, settings(), st.floats(1e-12, 0.999))
def test_values_rise_with_the_confidence(name: str, setting: Setting, delta: float) -> None:
    low, high = sorted((delta, setting.delta))
    assert rises(name, dataclasses.replace(setting, delta=high), dataclasses.replace(setting, delta=low))


@given(NAMES.filter(lambda name: name != "C"), settings(least_samples=3), st.integers(3, 10**9))
def test_values_fall_with_the_samples(name: str, setting: Setting, samples: int) -> None:
    """From N = 3 on: log N / N rises before. With n = ceil(sqrt N), C may rise by a step of n."""
    few, many = sorted((samples, setting.n_samples))
    assert rises(name, dataclasses.replace(setting, n_samples=many), dataclasses.replace(setting, n_samples=few))


@given(NAMES, settings(), st.integers(1, 10**6), NORMS)
def test_values_rise_with_the_number_of_tasks(name: str, setting: Setting, size: int, norm: float) -> None:
    more = dataclasses.replace(setting, k_heads=(*setting.k_heads, size), norm_heads=(*setting.norm_heads, norm))
    assert rises(name, setting, more)
    if name in ("1", "Foret"):  # as published: one delta for all tasks
        assert THEOREMS[name](more, 0) == THEOREMS[name](setting, 0)


@given(settings())
def test_one_task_makes_a_prime_theorem_a(setting: Setting) -> None:
    one = dataclasses.replace(setting, k_heads=setting.k_heads[:1], norm_heads=setting.norm_heads[:1])
    assert THEOREMS["A'"](one, 0).value == pytest.approx(THEOREMS["A"](one, 0).value, rel=1e-14)


@given(settings())
def test_one_task_lacks_the_tail_alone(setting: Setting) -> None:
    one = dataclasses.replace(setting, k_heads=setting.k_heads[:1], norm_heads=setting.norm_heads[:1])
    published, corrected = (THEOREMS[name](one, 0).value for name in ("1", "1 corrected"))
    assert corrected == pytest.approx(published + one.limit / math.sqrt(one.n_samples), rel=1e-13)


@given(settings(), st.integers(0, 3))
def test_what_is_common_costs_more(setting: Setting, chosen: int) -> None:
    """A <= A' <= C for every task."""
    a, a_prime, c = (THEOREMS[name](setting, chosen % setting.tasks).value for name in ("A", "A'", "C"))
    assert a <= a_prime * (1 + 1e-12)
    assert a_prime <= c


@given(settings(), st.integers(0, 3))
def test_foret_s_number_is_a_bound_for_losses_up_to_one(setting: Setting, chosen: int) -> None:
    """It pays for the tail and the tasks with the 2 in front of its root; not for a loss that reaches far beyond 1."""
    task = chosen % setting.tasks
    assert foret.foret_is_bound(dataclasses.replace(setting, limit=min(setting.limit, 1.0)), task)
    assert not foret.foret_is_bound(dataclasses.replace(setting, limit=100.0), task)


def test_foret_s_number_at_one_sample_is_refused() -> None:
    with pytest.raises(InvalidBound, match="n_samples is 1; it must be at least 2"):
        foret.foret(Setting(**GOOD | {"n_samples": 1}), 0)


@pytest.mark.parametrize("samples", [1, 2, 4, 5, 10**12, 10**12 + 1])
def test_pieces_by_default_are_the_root_rounded_up(samples: int) -> None:
    setting = Setting(3, (2,), 1.0, (1.0,), 0.1, 0.1, samples, 0.1)
    (width,) = (term.value for term in main_theorem.theorem_c(setting).terms if term.name == "L/n")
    assert width == pytest.approx(1 / next(k for k in range(1, 10**6 + 2) if k * k >= samples), rel=1e-15)


def test_sizes_of_a_small_network() -> None:
    """k = 50 + 11, N = 20,000, ratio 8.4, for two tasks at delta = 0.05."""
    setting = Setting(50, (11, 11), 8.4, (8.4, 8.4), 1.0, 1.0, 20_000, 0.05)
    assert THEOREMS["A"](setting, 0).value == pytest.approx(0.0825, abs=5e-5)
    assert THEOREMS["B"](setting, 0).value == pytest.approx(1.312, abs=5e-4)
    assert THEOREMS["B, square root"](setting, 0).value == pytest.approx(0.0800, abs=5e-5)


def test_sizes_of_resnet_18() -> None:
    """A = 20.7 at N = 120,000 fixes the ratio of norms; B and its square-root form follow from it."""
    model = build_model("resnet18", seed=0)
    shared = sum(parameter.numel() for parameter in model.shared_parameters())
    heads = tuple(sum(parameter.numel() for parameter in head) for head in model.head_parameters())
    assert len(heads) == len(CLASSES["multi_mnist"])
    ratio = (math.exp(20.7**2 * 2 * 120_000 / (shared + heads[0])) - 5) / 8
    setting = Setting(shared, heads, ratio, (ratio,) * len(heads), 1.0, 1.0, 120_000, 0.05)
    assert THEOREMS["A"](setting, 0).value == pytest.approx(20.7, abs=0.01)
    assert THEOREMS["B"](setting, 0).value == pytest.approx(2.3e5, abs=0.05e5)
    assert THEOREMS["B, square root"](setting, 0).value == pytest.approx(18.2, abs=0.05)
    assert all(theorem(setting, 0).vacuous for theorem in THEOREMS.values())


GOOD: dict[str, Any] = {
    "k_shared": 5,
    "k_heads": (2, 3),
    "norm_shared": 1.0,
    "norm_heads": (1.0, 2.0),
    "rho_shared": 0.1,
    "rho_heads": 0.1,
    "n_samples": 10,
    "delta": 0.05,
}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"delta": 0.0}, r"delta is 0.0; it must be in \(0, 1\)\. Choose"),
        ({"delta": 1.0}, "delta is 1.0"),
        ({"delta": math.nan}, "delta is nan"),
        ({"n_samples": 0}, "n_samples is 0; it must be an integer from 1 to"),
        ({"n_samples": 10**16}, "n_samples is 10000000000000000"),
        ({"n_samples": 2.5}, "n_samples is 2.5"),
        ({"k_shared": 0}, "k_shared is 0"),
        ({"k_heads": (2, 0)}, "k_heads is 0"),
        ({"rho_shared": 0.0}, "rho_shared is 0.0; it must be positive and finite. Without a ball"),
        ({"rho_heads": -1.0}, "rho_heads is -1.0"),
        ({"rho_heads": math.inf}, "rho_heads is inf"),
        ({"norm_shared": -1.0}, "norm_shared is -1.0; it must be finite and >= 0"),
        ({"norm_shared": math.nan}, "norm_shared is nan"),
        ({"norm_heads": (1.0, math.inf)}, "norm_heads is inf"),
        ({"limit": 0.0}, "limit is 0.0; it must be positive and finite. Clip"),
        ({"norm_heads": (1.0,)}, "number of tasks is 2 sizes and 1 norms of heads; it must be equal and at least one"),
        ({"k_heads": (), "norm_heads": ()}, "number of tasks is 0 sizes and 0 norms"),
    ],
)
def test_settings_without_a_bound_are_refused(changes: dict[str, Any], message: str) -> None:
    Setting(**GOOD)
    with pytest.raises(InvalidBound, match=message):
        Setting(**GOOD | changes)


@pytest.mark.parametrize("name", ["1", "1 corrected", "A", "B", "B, square root", "Foret", "Foret corrected"])
@pytest.mark.parametrize("task", [-1, 2])
def test_a_task_that_is_not_there_is_refused(name: str, task: int) -> None:
    with pytest.raises(InvalidBound, match=f"task is {task}; it must be from 0 to 1"):
        THEOREMS[name](Setting(**GOOD), task)


def test_pieces_and_numbers_out_of_scale_are_refused() -> None:
    with pytest.raises(InvalidBound, match="pieces is 0"):
        main_theorem.theorem_c(Setting(**GOOD), 0)
    huge = Setting(**GOOD | {"norm_shared": 1e300, "rho_shared": 1e-300})
    for theorem in THEOREMS.values():
        with pytest.raises(InvalidBound, match="is inf; it must be finite"):
            theorem(huge, 0)
