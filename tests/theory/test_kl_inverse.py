"""The kl inverse beside ball arithmetic: what is counted, what a fault would show, what is stored."""

import math
from pathlib import Path

import pytest
from flint import arb

from theory.bounds.binary_kl import kl_inverse
from theory.coverage import inverse
from theory.coverage.inverse import ARGUMENTS, LOOSE, check_inverse, main, run
from theory.coverage.inverse_records import KEPT, Inverted, read_inversion
from theory.ledger import LedgerError


def below(q: float, budget: float) -> float:
    """One float below the least bound."""
    least = kl_inverse(q, budget)
    for _ in range(check_inverse(q, budget).ulps + 1):
        least = math.nextafter(least, 0.0)
    return least


def test_a_float_below_the_least_bound_is_no_bound() -> None:
    found = check_inverse(0.25, 0.1, below)
    assert found.below
    assert found.ulps == 0
    assert not check_inverse(0.25, 0.1).below


@pytest.mark.parametrize("steps", [0, 1, 7, LOOSE, LOOSE + 1])
def test_floats_above_the_least_bound_are_counted(steps: int) -> None:
    least = math.nextafter(below(0.25, 0.1), 1.0)

    def above(q: float, budget: float) -> float:
        return _up(least, steps)

    found = check_inverse(0.25, 0.1, above)
    assert (found.below, found.ulps, found.loose) == (False, steps, steps > LOOSE)
    assert found.excess == pytest.approx(steps * math.ulp(least) / least)


def _up(value: float, steps: int) -> float:
    for _ in range(steps):
        value = math.nextafter(value, 1.0)
    return value


def test_without_a_mixture_the_least_bound_is_the_closed_form() -> None:
    """kl(1 || p) = -log p only reaches 1; kl(q || 1) is infinite."""
    assert check_inverse(1.0, 0.3)._replace(budget=0.0) == (0.0, 1.0, False, False, 0, 0.0)
    assert check_inverse(0.5, 90.0)._replace(budget=0.0) == (0.0, 1.0, False, False, 0, 0.0)
    with inverse.ctx.workprec(200):
        assert inverse.exact_kl(0.0, 0.5).overlaps(arb(2).log())


def test_a_search_from_the_wrong_side_is_counted() -> None:
    found = run(40, lambda q, budget: math.nextafter(below(q, budget), 0.0) if q < kl_inverse(q, budget) < 1 else 1.0)
    assert found.below > 10
    assert found.count == 40


def test_what_is_stored_has_no_inverse_below_the_exact_one() -> None:
    kept = read_inversion(KEPT)
    assert (kept.count, kept.below, kept.loose) == (ARGUMENTS, 0, 0)
    assert kept.seed == inverse.SEED
    assert (kept.rows[0].low, kept.rows[-1].high) == (inverse.EDGES[0], inverse.EDGES[-1])
    assert all(row.greatest <= LOOSE for row in kept.rows)


def test_the_command_writes_what_it_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(inverse, "FRESH", tmp_path / "kl_inverse.json")
    assert main(["--count", "30"]) == 0
    assert "below the exact inverse: 0;" in capsys.readouterr().out
    assert read_inversion(tmp_path / "kl_inverse.json").count == 30
    with pytest.raises(SystemExit):
        main(["--count", "0"])
    assert "--count is 0; it must be at least 1" in capsys.readouterr().err


def test_records_that_can_not_be_trusted(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match=r"theory\.coverage\.inverse --keep"):
        read_inversion(tmp_path / "nothing.json")
    with pytest.raises(ValueError, match="of 3 arguments"):
        Inverted(low=0, high=1, count=3, below=0, loose=0, certain=0, ulps=(1, 1), median=0, greatest=1, excess=0.0)
