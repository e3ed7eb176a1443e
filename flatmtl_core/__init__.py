"""Sharpness-aware multi-task learning: the step, the aggregators, and nothing else."""

from flatmtl_core.errors import FlatMTLError, InvalidInput, NonFinite, NotConverged
from flatmtl_core.laws import Law
from flatmtl_core.report import StepReport
from flatmtl_core.step import mtl_backward, sam_mtl_backward
from flatmtl_core.types import Aggregator, GramianAggregator, Weighted
from flatmtl_core.weightings import (
    IMTLG,
    MGDA,
    AlignedMTL,
    CAGrad,
    ConFIG,
    Constant,
    DualProj,
    FairGrad,
    GradDrop,
    Mean,
    NashMTL,
    PCGrad,
    UPGrad,
)
from flatmtl_core.workspace import Workspace

__all__ = ["Aggregator", "FlatMTLError", "GramianAggregator", "InvalidInput", "Law", "NonFinite", "NotConverged"]
__all__ += ["StepReport", "Weighted", "Workspace", "mtl_backward", "sam_mtl_backward"]
__all__ += ["IMTLG", "MGDA", "AlignedMTL", "CAGrad", "ConFIG", "Constant", "DualProj", "FairGrad", "GradDrop", "Mean"]
__all__ += ["NashMTL", "PCGrad", "UPGrad"]
