"""Lemmas as data, for all dimensions: this package knows z3 and the standard library only."""

from tests.laws.lemmas.balances import IMTLG, NASH
from tests.laws.lemmas.forms import FORMS
from tests.laws.lemmas.lemma import Lemma, Reach, Twin
from tests.laws.lemmas.minimisers import CAGRAD, MGDA
from tests.laws.lemmas.projections import DUAL_CONE, PCGRAD

__all__ = ["LEMMAS", "Lemma", "Reach", "Twin"]

LEMMAS = (*FORMS, *MGDA, *PCGRAD, *CAGRAD, *IMTLG, *NASH, *DUAL_CONE)
