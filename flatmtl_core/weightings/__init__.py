"""One file a method: the class docstring is the formula, the body its transcription."""

from flatmtl_core.weightings.aligned import AlignedMTL
from flatmtl_core.weightings.cagrad import CAGrad
from flatmtl_core.weightings.config import ConFIG
from flatmtl_core.weightings.constant import Constant, Mean
from flatmtl_core.weightings.dual_cone import DualProj, UPGrad
from flatmtl_core.weightings.graddrop import GradDrop
from flatmtl_core.weightings.imtlg import IMTLG
from flatmtl_core.weightings.mgda import MGDA
from flatmtl_core.weightings.nash_fair import FairGrad, NashMTL
from flatmtl_core.weightings.pcgrad import PCGrad

__all__ = ["IMTLG", "MGDA", "AlignedMTL", "CAGrad", "ConFIG", "Constant", "DualProj", "FairGrad", "GradDrop", "Mean"]
__all__ += ["NashMTL", "PCGrad", "UPGrad"]
