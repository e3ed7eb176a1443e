"""The authors' conventions against the methods' papers: by how much they differ, and where they do not."""

from typing import get_args

import numpy as np
import pytest
import torch
from hypothesis import given

from experiments.presets import Folder, OnUnitRows, PCGradOnItself, TimesTasks, authors
from flatmtl_core import IMTLG, MGDA, CAGrad, InvalidInput, Mean, PCGrad, StepReport
from tests.assertions import LIMIT, assert_close, seeded
from tests.equations.stepping import take_step
from tests.reference.networks import smooth
from tests.strategies import Trial, tensor, trials


@given(trial=trials())
def test_times_tasks_multiplies(trial: Trial) -> None:
    for base in (MGDA(), CAGrad(), IMTLG(), Mean()):
        plain, size = base(trial.rows), float(trial.rows.norm(dim=1).sum())
        expected = len(trial.rows) * plain
        assert_close(TimesTasks(base)(trial.rows), expected, LIMIT * len(trial.rows) * (size + float(plain.norm())))


@given(trial=trials(n_tasks=(1, 2)))
def test_projecting_on_itself_changes_nothing_for_two_tasks(trial: Trial) -> None:
    """p_i = g_i - min(<g_i, u_j>, 0) u_j has <p_i, g_i> = ||g_i||^2 (1 - cos^2) >= 0."""
    size = float(trial.rows.norm(dim=1).sum())
    own = PCGradOnItself()(trial.rows, generator=seeded(trial.seed))
    assert_close(own, PCGrad()(trial.rows, generator=seeded(trial.seed)), LIMIT * size)


@given(trial=trials())
def test_unit_rows_are_those_of_the_base_method(trial: Trial) -> None:
    """MGDA of the rows over their lengths; doubling one row changes nothing; a zero row makes it zero."""
    rows, norms = trial.rows, trial.rows.norm(dim=1, keepdim=True)
    found = OnUnitRows(MGDA())(rows)
    if not bool((norms > 0).all()):
        assert not found.any()
        return
    assert_close(found, MGDA()(rows / norms), LIMIT * len(rows))
    longer = rows.clone()
    longer[0] *= 2
    assert_close(OnUnitRows(MGDA())(longer), found, LIMIT * len(rows))


def _projected(rows: np.ndarray, seed: int) -> np.ndarray:
    """The sum as the definition reads, each task's order of all tasks drawn from the same generator."""
    generator, total = seeded(seed), np.zeros(rows.shape[1])
    for row in rows:
        current = row.copy()
        for other in torch.randperm(len(rows), generator=generator).tolist():
            overlap = current @ rows[other]
            if overlap < 0:
                current = current - overlap / (rows[other] @ rows[other]) * rows[other]
        total = total + current
    return total


def test_projecting_on_itself_changes_the_sum_of_three_tasks() -> None:
    rows = tensor(((-10, -10), (20, 1), (0, 20)))
    found = torch.stack([PCGradOnItself()(rows, generator=seeded(seed)) for seed in range(40)])
    expected = torch.stack([torch.from_numpy(_projected(rows.numpy(), seed)) for seed in range(40)])
    assert_close(found.flatten(), expected.flatten(), LIMIT * 40 * float(rows.norm()))
    own = {tuple(direction.round(decimals=9).tolist()) for direction in found}
    paper = {tuple(PCGrad()(rows, generator=seeded(seed)).round(decimals=9).tolist()) for seed in range(60)}
    assert own - paper


def test_the_preset_differs_from_the_papers_where_the_code_does() -> None:
    rows = tensor(((1, 0), (-3, 0.5)))
    preset, more = authors("multi_mnist"), authors("times_tasks")
    assert_close(preset["CAGrad"](rows) * (1 + 0.4**2), CAGrad(c=0.4)(rows), LIMIT * float(rows.norm()))
    assert_close(more["MGDA"](rows), 2 * preset["MGDA"](rows), LIMIT * float(rows.norm()))
    assert preset["IMTLG"] == IMTLG()
    assert preset.keys() == more.keys()


@pytest.mark.parametrize("folder", get_args(Folder))
@pytest.mark.parametrize("name", sorted(authors("times_tasks")))
def test_a_step_takes_the_preset(name: str, folder: Folder) -> None:
    aggregator = {str(key): value for key, value in authors(folder).items()}[name]
    report = take_step(smooth(3), aggregator, rho_shared=0.05, rho_heads=0.05).report
    assert isinstance(report, StepReport)
    assert set(report.weighted) == {"loss", "flat"}


def test_an_unknown_preset_is_refused() -> None:
    with pytest.raises(InvalidInput, match="multi_mnist"):
        authors("nyuv2")  # type: ignore[arg-type]
