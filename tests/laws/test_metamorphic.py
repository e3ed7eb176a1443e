"""Identities between methods, and between one method's answers to related inputs."""

import math

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from torch import Tensor

from flatmtl_core import (
    IMTLG,
    MGDA,
    AlignedMTL,
    CAGrad,
    ConFIG,
    DualProj,
    FairGrad,
    GradDrop,
    Mean,
    NashMTL,
    PCGrad,
    UPGrad,
)
from tests.assertions import LIMIT, Method, assert_close, direction, direction_accuracy, direction_size, weighted
from tests.laws.claims import METHODS
from tests.strategies import Trial, few_valued, rotations, separated, sizes, tensor, trials

_DEGREE_ONE = [name for name in METHODS if METHODS[name](1).degree == 1 and "norm" not in name]


def _unit(vector: Tensor) -> Tensor:
    return torch.nn.functional.normalize(vector, dim=0, eps=0.0)


@st.composite
def orthogonal_rows(draw: st.DrawFn) -> Tensor:
    """m <= 4 orthogonal rows with norms 2^k: rows of a rotation that is exact in binary, scaled."""
    m = draw(sizes)
    exponents = tensor(draw(st.lists(st.integers(-8, 8), min_size=m, max_size=m)))
    return torch.exp2(exponents).unsqueeze(1) * draw(rotations(m))


@given(rows=orthogonal_rows())
def test_nash_on_orthogonal_rows_is_the_sum_of_unit_rows(rows: Tensor) -> None:
    expected = (rows / rows.norm(dim=1, keepdim=True)).sum(dim=0)
    assert_close(direction(NashMTL(), rows), expected, direction_accuracy(NashMTL(), rows))


@given(rows=orthogonal_rows(), alpha=st.sampled_from((0.5, 1.0, 2.0)))
def test_fairgrad_on_orthogonal_rows(rows: Tensor, alpha: float) -> None:
    """s_i^2 w_i = w_i^(-1/alpha), so w_i = s_i^(-2 alpha / (1 + alpha))."""
    weights = rows.norm(dim=1) ** (-2 * alpha / (1 + alpha))
    aggregator = FairGrad(alpha=alpha)
    assert_close(direction(aggregator, rows), weights @ rows, direction_accuracy(aggregator, rows))


@given(rows=orthogonal_rows())
def test_mgda_on_orthogonal_rows_weighs_by_inverse_squares(rows: Tensor) -> None:
    weights = rows.norm(dim=1) ** -2
    weights /= weights.sum()
    assert float((weighted(MGDA(), rows).weights - weights).abs().max()) <= LIMIT


@given(rows=orthogonal_rows(), seed=st.integers(0, 99))
def test_pcgrad_on_orthogonal_rows_is_the_sum_exactly(rows: Tensor, seed: int) -> None:
    assert torch.equal(direction(PCGrad(), rows, seed), rows.sum(dim=0))


@given(data=st.data(), seed=st.integers(0, 99))
def test_pcgrad_without_conflict_is_the_sum_exactly(data: st.DataObject, seed: int) -> None:
    """Rows without a negative entry have no negative product."""
    rows = data.draw(few_valued(data.draw(sizes), data.draw(sizes))).abs()
    assert torch.equal(direction(PCGrad(), rows, seed), rows.sum(dim=0))


@given(data=st.data())
def test_two_tasks_of_equal_norm_are_bisected(data: st.DataObject) -> None:
    """MGDA, IMTL-G, Nash-MTL, ConFIG and Aligned-MTL agree: u_1 + u_2.

    The second row is a permutation of the first, signs included.
    """
    first = data.draw(separated(1, data.draw(sizes)))[0]
    second = first[data.draw(st.permutations(range(len(first))))]
    rows = torch.stack([first, second])
    assume(not torch.equal(first, -second))
    bisector = first + second
    assume(bisector.any())
    for aggregator in (MGDA(), IMTLG(), NashMTL(), ConFIG(), AlignedMTL()):
        found = direction(aggregator, rows)
        accuracy = 2 * direction_accuracy(aggregator, rows) / float(found.norm())
        assert_close(_unit(found), _unit(bisector), accuracy)


@given(data=st.data())
def test_imtl_g_nash_and_config_have_the_same_direction_for_two_tasks(data: st.DataObject) -> None:
    rows = data.draw(separated(2, data.draw(sizes)))
    methods: list[Method] = [IMTLG(), NashMTL(), ConFIG()]
    found = [direction(aggregator, rows) for aggregator in methods]
    accuracy = sum(2 * direction_accuracy(agg, rows) / float(d.norm()) for agg, d in zip(methods, found, strict=True))
    assert_close(_unit(found[0]), _unit(found[1]), accuracy)
    assert_close(_unit(found[0]), _unit(found[2]), accuracy)


@given(trial=trials(n_tasks=(1, 2)))
def test_pcgrad_is_the_sum_of_projections_for_two_tasks(trial: Trial) -> None:
    """With one other task, one projection against it is the projection on the dual cone."""
    projections = UPGrad(reduction="sum")
    accuracy = direction_accuracy(PCGrad(), trial.rows) + direction_accuracy(projections, trial.rows)
    assert_close(direction(PCGrad(), trial.rows), direction(projections, trial.rows), accuracy)


@given(data=st.data())
def test_without_conflict_projections_do_nothing(data: st.DataObject) -> None:
    """Rows without a negative entry, and orthogonal rows, are in their dual cone."""
    free = data.draw(few_valued(data.draw(sizes), data.draw(sizes))).abs()
    for rows in (free, data.draw(orthogonal_rows())):
        expected = rows.mean(dim=0)
        for aggregator in (UPGrad(), DualProj()):
            assert_close(direction(aggregator, rows), expected, LIMIT * float(rows.norm(dim=1).sum()))


@given(data=st.data(), leak=st.sampled_from((0.0, 0.5, 1.0)), seed=st.integers(0, 99))
def test_graddrop_without_opposite_signs_is_the_sum_exactly(data: st.DataObject, leak: float, seed: int) -> None:
    """Every column has one sign: the absolute values times one sign a column."""
    m, d = data.draw(sizes), data.draw(sizes)
    rows = data.draw(few_valued(m, d)).abs() * data.draw(few_valued(1, d)).sign()
    assert torch.equal(direction(GradDrop(leak=leak), rows, seed), rows.sum(dim=0))


@given(trial=trials())
def test_graddrop_that_leaks_all_is_the_sum(trial: Trial) -> None:
    found, total = direction(GradDrop(leak=1.0), trial.rows, trial.seed), trial.rows.sum(dim=0)
    assert_close(found, total, LIMIT * float(trial.rows.norm(dim=1).sum()))


@pytest.mark.parametrize("cls", [UPGrad, AlignedMTL])
@given(trial=trials())
def test_a_sum_is_m_times_the_mean(cls: type[UPGrad | AlignedMTL], trial: Trial) -> None:
    mean, total = direction(cls(), trial.rows), direction(cls(reduction="sum"), trial.rows)
    size = direction_size(cls(), trial.rows)
    assert_close(total, len(trial.rows) * mean, LIMIT * len(trial.rows) * size)


@given(trial=trials())
def test_the_projected_mean_is_nearer_than_the_mean_of_projections(trial: Trial) -> None:
    """Both are in the dual cone, and DualProj's is its point next to the mean."""
    mean = trial.rows.mean(dim=0)
    near, far = ((direction(aggregator, trial.rows) - mean).norm() for aggregator in (DualProj(), UPGrad()))
    accuracy = direction_accuracy(DualProj(), trial.rows) + direction_accuracy(UPGrad(), trial.rows)
    assert float(near) <= float(far) + accuracy


@given(trial=trials(), scale=st.sampled_from(("paper", "norm")))
def test_fairgrad_with_alpha_one_is_nash(trial: Trial, scale: str) -> None:
    fair, nash = FairGrad(alpha=1.0, scale=scale), NashMTL(scale=scale)  # type: ignore[arg-type]
    accuracy = 2 * direction_accuracy(nash, trial.rows)
    assert_close(direction(fair, trial.rows), direction(nash, trial.rows), accuracy)


@given(data=st.data())
def test_nash_has_the_length_sqrt_m(data: st.DataObject) -> None:
    rows = data.draw(separated(data.draw(sizes), data.draw(sizes)))
    assert abs(float(direction(NashMTL(), rows).norm()) - math.sqrt(len(rows))) <= direction_accuracy(NashMTL(), rows)


@pytest.mark.parametrize("alpha", [0.5, 1.0, 2.0])
@given(data=st.data())
def test_norm_scale_is_the_paper_scale_of_the_normalised_rows(alpha: float, data: st.DataObject) -> None:
    """A_norm(J) = (s / sqrt m) A(J / s), s the mean norm."""
    rows = data.draw(separated(data.draw(sizes), data.draw(sizes)))
    s = float(rows.norm(dim=1).mean())
    norm, paper = FairGrad(alpha=alpha, scale="norm"), FairGrad(alpha=alpha)
    expected = s / math.sqrt(len(rows)) * direction(paper, rows / s)
    assert_close(direction(norm, rows), expected, 2 * direction_accuracy(norm, rows))


@given(trial=trials(), rescale=st.sampled_from((0, 1, 2)))
def test_cagrad_with_radius_zero_is_the_mean(trial: Trial, rescale: int) -> None:
    aggregator = CAGrad(c=0.0, rescale=rescale)  # type: ignore[arg-type]
    size = float(trial.rows.norm(dim=1).sum())
    assert_close(direction(aggregator, trial.rows), direction(Mean(), trial.rows), LIMIT * size)


@given(trial=trials(), c=st.sampled_from((0.4, 1.0, 2.0)))
def test_cagrad_rescaling_divides(trial: Trial, c: float) -> None:
    plain = direction(CAGrad(c=c), trial.rows)
    size = (1 + c) * float(trial.rows.norm(dim=1).sum())
    for rescale, divisor in ((1, 1 + c * c), (2, 1 + c)):
        found = direction(CAGrad(c=c, rescale=rescale), trial.rows)  # type: ignore[arg-type]
        assert_close(found * divisor, plain, LIMIT * size)


@pytest.mark.parametrize("c", [1e4, 1e8])
@given(data=st.data())
def test_cagrad_with_a_large_radius_points_as_mgda(c: float, data: st.DataObject) -> None:
    """With p the shortest vector, S the largest norm: ||g_w - p||^2 <= ||g_w||^2 - ||p||^2 <= 4 S^2 / c.

    The first step is the optimality of p, the second that of w in <g_w, g_0> + c ||g_0|| ||g_w||. The unit vectors are
    then at most 2 (2 S / (sqrt c ||p||)) apart, and g_0 turns d by at most 2 / c more.
    """
    rows = data.draw(separated(data.draw(sizes), data.draw(sizes)))
    shortest = direction(MGDA(), rows)
    bound = 4 * float(rows.norm(dim=1).max()) / (math.sqrt(c) * float(shortest.norm())) + 2 / c
    assert_close(_unit(direction(CAGrad(c=c), rows)), _unit(shortest), bound)


@pytest.mark.parametrize("name", _DEGREE_ONE)
@given(trial=trials(), exponent=st.integers(-20, 20))
def test_powers_of_two_come_out_exactly(name: str, trial: Trial, exponent: int) -> None:
    aggregator = METHODS[name](len(trial.rows))
    left = direction(aggregator, trial.rows * 2.0**exponent, trial.seed)
    assert torch.equal(left, 2.0**exponent * direction(aggregator, trial.rows, trial.seed))


@pytest.mark.parametrize("name", METHODS)
@given(trial=trials())
def test_a_parameter_without_gradient_changes_nothing(name: str, trial: Trial) -> None:
    aggregator = METHODS[name](len(trial.rows))
    wider = torch.cat([trial.rows, torch.zeros_like(trial.rows[:, :1])], dim=1)
    found = direction(aggregator, wider, trial.seed)
    assert torch.equal(found[:-1], direction(aggregator, trial.rows, trial.seed))
    assert float(found[-1]) == 0


@given(trial=trials(("task_scales",)))
def test_the_line_of_imtl_g_depends_on_the_directions_only(trial: Trial) -> None:
    rows = trial.rows[trial.rows.any(dim=1)]
    assume(0 < len(rows) <= rows.shape[1] and int(torch.linalg.matrix_rank(rows)) == len(rows))
    scales = tensor(trial.task_scales[0])[trial.rows.any(dim=1)].unsqueeze(1)
    found = [direction(IMTLG(), matrix) for matrix in (rows, scales * rows)]
    assume(all(d.any() for d in found))
    accuracy = sum(
        2 * direction_accuracy(IMTLG(), matrix) / float(d.norm())
        for matrix, d in zip((rows, scales * rows), found, strict=True)
    )
    assert 1 - abs(float(_unit(found[0]) @ _unit(found[1]))) <= accuracy


@given(trial=trials())
def test_answers_are_reproducible(trial: Trial) -> None:
    for name in METHODS:
        aggregator = METHODS[name](len(trial.rows))
        assert torch.equal(direction(aggregator, trial.rows, trial.seed), direction(aggregator, trial.rows, trial.seed))
