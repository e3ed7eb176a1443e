"""All exhibits, in the order of the report."""

from typing import Any

from paper_figures import fig_conflict, tab_cost, tab_multi_mnist
from paper_figures.exhibit import Exhibit

EXHIBITS: tuple[Exhibit[Any], ...] = (tab_multi_mnist.EXHIBIT, fig_conflict.EXHIBIT, tab_cost.EXHIBIT)
