"""Inputs that break other implementations: the outcome of every class for every method is a table, not an accident."""

from collections.abc import Callable, Iterator
from dataclasses import FrozenInstanceError, dataclass
from typing import Literal

import numpy as np
import pytest
import torch
from torch import Tensor

from flatmtl_core import (
    IMTLG,
    MGDA,
    AlignedMTL,
    CAGrad,
    ConFIG,
    Constant,
    DualProj,
    FairGrad,
    GradDrop,
    NashMTL,
    NonFinite,
    PCGrad,
    UPGrad,
)
from flatmtl_core.weightings import Mean
from tests.assertions import (
    LIMIT,
    LIMIT_FLOAT32,
    Method,
    assert_close,
    definition_residual,
    direction,
    direction_accuracy,
    power_of_two,
    seeded,
    term_size,
    unit_accuracy,
    weighted,
)
from tests.laws.claims import METHODS
from tests.oracles import obvious, spectral
from tests.strategies import tensor

Outcome = Literal["exact", "zero", "stationary", "finite"]
"""exact: the definition holds. zero, stationary: that status and a zero direction. finite: no promise but that."""


def _apart(m: int, d: int) -> Tensor:
    """Rows with a first coordinate >= 1: 0 is not in the hull; independent when m <= d."""
    rows = np.random.default_rng(100 * m + d).standard_normal((m, d))
    rows[:, 0] = 1 + np.abs(rows[:, 0])
    return tensor(rows)


def _with_zero_row(m: int, d: int) -> Tensor:
    return torch.cat([torch.zeros(1, d, dtype=torch.float64), _apart(m, d)[1:]])


def _with_opposites(m: int, d: int) -> Tensor:
    rows = _apart(m, d)
    rows[-1] = -2 * rows[0]
    return rows


def _duplicates(m: int, d: int) -> Tensor:
    return _apart(1, d).repeat(m, 1)


def _rank_one(m: int, d: int) -> Tensor:
    return torch.arange(1, m + 1, dtype=torch.float64).unsqueeze(1) * _apart(1, d)


def _rank_one_mixed(m: int, d: int) -> Tensor:
    rows = _rank_one(m, d)
    rows[::2] *= -1
    return rows


def _nearly_parallel(m: int, d: int) -> Tensor:
    return _apart(1, d) + 1e-2 * _apart(m, d)


def _nearly_opposite(m: int, d: int) -> Tensor:
    """(1, t, ..), (-1, t, ..), alternating: the hull passes 0 at the distance t = 2^-6."""
    rows = 2.0**-6 * _apart(m, d).abs()
    rows[:, 0] = 1.0
    rows[1::2, 0] = -1.0
    return rows


def _norms_apart(m: int, d: int) -> Tensor:
    return _apart(m, d) * torch.logspace(-6, 6, m, dtype=torch.float64).unsqueeze(1)


def _corner(m: int, d: int) -> Tensor:
    """[[1, t, 0], [-1, t, 0], [0, 5, 0]]: Frank-Wolfe crawls; further tasks repeat the third."""
    rows = torch.zeros(m, d, dtype=torch.float64)
    rows[:, 1] = 5.0
    rows[:2, 1] = 2.0**-6
    rows[0, 0], rows[1, 0] = 1.0, -1.0
    return rows


@dataclass(frozen=True)
class HardClass:
    """A class of inputs, its smallest size, and the outcome for the families of methods."""

    build: Callable[[int, int], Tensor]
    mgda: Outcome = "exact"
    fair: Outcome = "exact"
    imtlg: Outcome = "exact"
    config: Outcome = "exact"
    others: Outcome = "exact"
    least_tasks: int = 1
    least_params: int = 1

    def outcome(self, aggregator: Method, rows: Tensor) -> Outcome:
        if isinstance(aggregator, MGDA):
            return self.mgda
        if isinstance(aggregator, NashMTL | FairGrad):
            return self.fair
        if isinstance(aggregator, IMTLG | ConFIG):
            return self.imtlg if isinstance(aggregator, IMTLG) else self.config
        return self.others


CLASSES = {
    "all zeros": HardClass(lambda m, d: torch.zeros(m, d, dtype=torch.float64), *5 * ("zero",)),
    "apart": HardClass(_apart),
    "one zero row": HardClass(_with_zero_row, mgda="stationary", least_tasks=2),
    "exact opposites": HardClass(_with_opposites, "stationary", "stationary", "finite", "finite", least_tasks=2),
    "duplicates": HardClass(_duplicates, least_tasks=2),
    "rank one": HardClass(_rank_one, least_tasks=2),
    "rank one, mixed signs": HardClass(_rank_one_mixed, "stationary", "stationary", "finite", "finite", least_tasks=2),
    "nearly parallel": HardClass(_nearly_parallel, least_tasks=2),
    "nearly opposite": HardClass(_nearly_opposite, least_tasks=2, least_params=2),
    "norm ratio 1e12": HardClass(_norms_apart, least_tasks=2),
    "Frank-Wolfe corner": HardClass(_corner, imtlg="finite", least_tasks=3, least_params=3),
}


def _cases() -> Iterator[tuple[str, int, int]]:
    for name, hard in CLASSES.items():
        for m in (1, 2, 3, 9, 40):
            for d in sorted({max(m // 2, 1), m, 2 * m + 1} if m < 40 else {20, 81}):
                if m >= hard.least_tasks and d >= hard.least_params:
                    yield name, m, d


_CASES = list(_cases())
_SOLVERS = ["Mean", "Constant", "MGDA", "PCGrad", "IMTLG", "NashMTL"]
_SOLVERS += ["CAGrad(0.4)", "CAGrad(1)", "CAGrad(2)", "FairGrad(0.5)", "FairGrad(2)"]
_SOLVERS += ["UPGrad", "DualProj", "AlignedMTL", "ConFIG", "GradDrop", "GradDrop(0.5)"]
"""The methods without those that only multiply another's answer by a number."""
_SCALES = {torch.float32: (1.0, 1e-15, 1e15), torch.float64: (1.0, 1e-150, 1e150)}


_SEEN_IN_FLOAT32 = 1e-3
"""The square root of what a Gramian of float32 rows is good for, with room: smaller singular values may be rounding."""


def _method(name: str, m: int) -> Method:
    if name == "Constant":
        return Constant(weights=tuple(float(i % 3 - 1) for i in range(m)))
    return METHODS[name](m)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["float32", "float64"])
@pytest.mark.parametrize("hard", CLASSES)
@pytest.mark.parametrize("name", _SOLVERS)
def test_outcome(name: str, hard: str, dtype: torch.dtype) -> None:
    for m, d in [(m, d) for label, m, d in _CASES if label == hard]:
        aggregator = _method(name, m)
        for scale in _SCALES[dtype] if m == 3 else (1.0,):
            rows = (CLASSES[hard].build(m, d) * scale).to(dtype)
            wanted = _wanted(aggregator, hard, rows)
            _assert_outcome(aggregator, rows, wanted, f"m = {m}, d = {d}, scale = {scale:g}")


def _wanted(aggregator: Method, hard: str, rows: Tensor) -> Outcome:
    """The table, less what dependent rows and float32 Gramians take away.

    IMTL-G promises nothing for dependent rows unless they are consistent. The Gramian of float32 rows is good for 1e-7,
    so it cannot show that rows are exactly dependent, or that 0 is nearer to the hull than 3e-4: MGDA's direction is
    then small (by its accuracy), IMTL-G, Nash-MTL, FairGrad, Aligned-MTL and ConFIG promise nothing.
    """
    wanted = CLASSES[hard].outcome(aggregator, rows)
    m, d = rows.shape
    if isinstance(aggregator, AlignedMTL | ConFIG) and rows.dtype == torch.float32 and wanted == "exact":
        live = rows[rows.any(dim=1)].double().numpy()
        return "finite" if spectral.rank(live, _SEEN_IN_FLOAT32) < len(live) else "exact"
    if isinstance(aggregator, IMTLG) and hard in ("duplicates", "rank one") and rows.dtype == torch.float32:
        return "finite"
    if isinstance(aggregator, IMTLG) and m > d and hard not in ("all zeros", "duplicates", "rank one"):
        return "finite"
    if wanted == "stationary" and rows.dtype == torch.float32:
        return "exact" if isinstance(aggregator, MGDA) else "finite"
    return wanted


def _graddrop(aggregator: GradDrop, rows: Tensor) -> Tensor:
    """By plain code, with the same draws, in float64."""
    draws = torch.rand(rows.shape[1], generator=seeded()).double().numpy()
    return tensor(obvious.graddrop(rows.double().numpy(), draws, aggregator.leak))


def _assert_outcome(aggregator: Method, rows: Tensor, wanted: Outcome, where: str) -> None:
    found = direction(aggregator, rows)
    scale = power_of_two(rows)
    exact_rows = rows.double() / scale
    if isinstance(aggregator, GradDrop):
        limit = LIMIT if rows.dtype == torch.float64 else LIMIT_FLOAT32
        assert_close(found, _graddrop(aggregator, rows), direction_accuracy(aggregator, rows, limit=limit))
        assert wanted != "zero" or not found.any()
        return
    answer = weighted(aggregator, exact_rows)
    assert found.dtype == rows.dtype
    assert bool(found.isfinite().all()), where
    assert answer.gap >= 0, where
    if wanted == "finite":
        return
    if wanted in ("zero", "stationary"):
        assert not found.any(), where
        assert answer.status == wanted, where
        return
    if not isinstance(aggregator, PCGrad):
        assert definition_residual(aggregator, exact_rows @ exact_rows.T, answer.weights) <= LIMIT, where
    limit = LIMIT if rows.dtype == torch.float64 else LIMIT_FLOAT32
    factor = scale**aggregator.degree
    accuracy = factor * unit_accuracy(aggregator, exact_rows.numpy(), answer, limit)
    assert_close(found, answer.weights @ exact_rows * factor, accuracy)


@pytest.mark.parametrize(
    ("dtype", "scales"),
    [(torch.float32, (1e-38, 1e-30, 1e30, 1e37)), (torch.float64, (1e-300, 1e-200, 1e200, 1e300))],
    ids=("float32", "float64"),
)
@pytest.mark.parametrize("name", METHODS)
def test_extreme_scales_give_no_nan(name: str, dtype: torch.dtype, scales: tuple[float, ...]) -> None:
    for scale in scales:
        for rows in (_apart(3, 2), _with_opposites(9, 5)):
            found = direction(_method(name, len(rows)), (rows * scale).to(dtype))
            assert not found.isnan().any(), scale


@pytest.mark.parametrize("aggregator", [*map(FairGrad, (0.01, 0.1, 0.5, 2.0, 100.0)), NashMTL()], ids=repr)
@pytest.mark.parametrize("norms", [(1e-150, 1e150), (1e-12, 1.0), (1e-150, 1.0, 1e150)], ids=str)
def test_powers_of_very_unequal_norms_stay_finite(aggregator: Method, norms: tuple[float, ...]) -> None:
    """s^(1/alpha) leaves float64's range: the search then works at the edge of the range and says what it found."""
    rows = torch.diag(tensor(norms))
    answer = weighted(aggregator, rows)
    assert answer.weights.isfinite().all()
    assert answer.gap >= 0
    assert direction(aggregator, rows).isfinite().all()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
@pytest.mark.parametrize("name", METHODS)
def test_half_precision_rows(name: str, dtype: torch.dtype) -> None:
    """The weights are as good as float32 rows give them; the result is rounded once to its dtype."""
    for m, d in ((1, 3), (2, 3), (3, 5)):
        rows = _apart(m, d).to(dtype)
        aggregator = _method(name, m)
        found = direction(aggregator, rows)
        if isinstance(aggregator, GradDrop):
            expected, size = _graddrop(aggregator, rows), float(rows.double().norm(dim=1).sum())
        else:
            weights = weighted(aggregator, rows).weights
            expected, size = weights @ rows.double(), term_size(weights, rows)
        rounding = torch.finfo(dtype).eps * size
        assert found.dtype == dtype
        assert_close(found, expected, rounding + direction_accuracy(aggregator, rows, limit=LIMIT_FLOAT32))


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16], ids=str)
@pytest.mark.parametrize("name", METHODS)
def test_non_finite_rows_name_the_task_and_the_count(name: str, dtype: torch.dtype, bad: float) -> None:
    rows = _apart(3, 5).to(dtype)
    rows[2, 1:4] = bad
    out = torch.full((5,), 7.0, dtype=dtype)
    with pytest.raises(NonFinite) as caught:
        _method(name, 3)(rows, generator=seeded(), out=out)
    assert "task 2" in caught.value.where
    assert str(caught.value.value).startswith("3 ")
    assert torch.equal(out, torch.full_like(out, 7.0))


@pytest.mark.parametrize("name", METHODS)
def test_out_is_written_and_returned(name: str) -> None:
    rows = _apart(3, 5)
    before = rows.clone()
    out = torch.full((5,), float("nan"), dtype=torch.float64)
    aggregator = _method(name, 3)
    found = aggregator(rows, generator=seeded(), out=out)
    assert found.data_ptr() == out.data_ptr()
    assert torch.equal(out, direction(aggregator, rows))
    assert torch.equal(rows, before)


@pytest.mark.parametrize("name", METHODS)
def test_layout_and_graph_do_not_matter(name: str) -> None:
    """A transposed view gives the same direction; a graph behind the rows is not followed."""
    rows = _apart(3, 5)
    aggregator = _method(name, 3)
    expected = direction(aggregator, rows)
    assert_close(direction(aggregator, rows.T.contiguous().T), expected, direction_accuracy(aggregator, rows))
    tracked = direction(aggregator, rows.clone().requires_grad_() * 1.0)
    assert not tracked.requires_grad
    assert torch.equal(tracked, expected)


@pytest.mark.parametrize("name", METHODS)
def test_aggregators_are_values(name: str) -> None:
    aggregator = _method(name, 3)
    assert aggregator == _method(name, 3)
    assert eval(repr(aggregator)) == aggregator
    with pytest.raises(FrozenInstanceError):
        aggregator.laws = frozenset()  # type: ignore[misc]


def test_float32_gramian_of_dependent_rows_is_accepted() -> None:
    """Products in float32 leave eigenvalues down to about -2.5e-7 on the cosine matrix: rounding, not an error."""
    rows = _apart(40, 5).float()
    gramian = (rows @ rows.T).double()
    assert float(torch.linalg.eigvalsh(gramian)[0]) < 0
    aggregators = (
        Mean(),
        MGDA(),
        CAGrad(),
        IMTLG(),
        NashMTL(),
        FairGrad(),
        UPGrad(),
        DualProj(),
        AlignedMTL(),
        ConFIG(),
    )
    for aggregator in (*aggregators, ConFIG()):
        assert aggregator.weighting(gramian).weights.isfinite().all()
