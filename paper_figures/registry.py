"""All exhibits, in the order of the report, and the single files that they read."""

from typing import Any

from paper_figures import (
    fig_aggregators,
    fig_bound_terms,
    fig_cheaper,
    fig_conflict,
    fig_dependencies,
    fig_floor,
    fig_scaling,
    tab_assumptions,
    tab_beyond_vision,
    tab_bounds,
    tab_celeba,
    tab_certificates,
    tab_claims,
    tab_contradictions,
    tab_cost,
    tab_gates,
    tab_ledger,
    tab_multi_mnist,
    tab_mutation,
    tab_one_setting,
    tab_reviewers,
    tab_step_cost,
    tab_weaker,
)
from paper_figures.exhibit import Exhibit, FileExhibit, StoredFile, distinct

EXHIBITS: tuple[Exhibit[Any], ...] = (
    tab_multi_mnist.EXHIBIT,
    tab_celeba.EXHIBIT,
    tab_one_setting.EXHIBIT,
    tab_beyond_vision.EXHIBIT,
    tab_certificates.EXHIBIT,
    fig_conflict.EXHIBIT,
    tab_cost.EXHIBIT,
    tab_step_cost.EXHIBIT,
    fig_floor.EXHIBIT,
    fig_scaling.EXHIBIT,
    fig_aggregators.EXHIBIT,
    tab_gates.EXHIBIT,
    fig_cheaper.EXHIBIT,
    tab_claims.EXHIBIT,
    tab_contradictions.EXHIBIT,
    tab_ledger.EXHIBIT,
    fig_dependencies.EXHIBIT,
    tab_reviewers.EXHIBIT,
    tab_weaker.EXHIBIT,
    tab_assumptions.EXHIBIT,
    tab_bounds.EXHIBIT,
    fig_bound_terms.EXHIBIT,
    tab_mutation.EXHIBIT,
    tab_mutation.SURVIVORS,
)

FILES: tuple[StoredFile[Any], ...] = tuple(
    distinct(exhibit.file for exhibit in EXHIBITS if isinstance(exhibit, FileExhibit))
)
