"""What aggregators promise in every dimension, as statements about the entries of the Gramian."""

from theory.proof.laws.cagrad import CAGRAD
from theory.proof.laws.dual_cone import DUAL_CONE
from theory.proof.laws.forms import FORMS
from theory.proof.laws.imtlg import IMTLG
from theory.proof.laws.mgda import MGDA
from theory.proof.laws.nash import NASH
from theory.proof.laws.pcgrad import PCGRAD

LEMMAS = (*FORMS, *MGDA, *PCGRAD, *CAGRAD, *IMTLG, *NASH, *DUAL_CONE)
