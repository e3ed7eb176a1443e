"""The vocabulary of properties that an aggregator may promise.

``J`` has rows g_1 .. g_m, s_i = ||g_i||, and A(J) = J^T a is the direction. A class lists in its ``laws`` what it
promises for all its arguments and for all valid J; a property that needs a condition is not listed.
"""

from enum import Enum, unique


@unique
class Law(Enum):
    """A property of an aggregator A; the value of each member is its meaning."""

    COMMON_DESCENT = "<g_i, A(J)> >= 0 for every task i"
    STRICT_DESCENT = "<g_i, A(J)> > 0 for every task i, unless 0 is in the convex hull of the rows"
    IN_CONE = "A(J) = J^T a with a >= 0"
    HOMOGENEOUS = "A(t J) = t^degree A(J) for t > 0"
    TASK_SCALING_LINEAR = "A(diag(c) J) is additive and positively homogeneous in c, for c > 0 (one order of the tasks)"
    TASK_SCALING_INVARIANT = "A(diag(c) J) = A(J) for c > 0"
    PERMUTATION = "A(P J) = A(J) for every permutation P of the tasks"
    ROTATION = "A(J Q) = A(J) Q where Q Q^T = I, Q possibly wide"
    IDENTITY_FOR_ONE_TASK = "A(g) = g when m = 1"
    REPEATED_TASK = "A is unchanged when a row is repeated"
    CONVEX_COMBINATION_ADDED = "A is unchanged when a convex combination of the rows is added as a row"
    ZERO_TO_ZERO = "A(0) = 0, exactly"
    ZERO_ROW_IGNORED = "a zero row changes A by no more than the factor m/(m+1) of a mean over all tasks"
    DEFINED_WHEN_STATIONARY = "the defining identity has a solution also when 0 is in the convex hull of the rows"
    ZERO_ONLY_IF_STRONGLY_STATIONARY = "A(J) = 0 implies J^T w = 0 for some w > 0"
    LINEAR = "A(J + K) = A(J) + A(K)"
    NORM_AT_MOST_MEAN = "||A(J)|| <= mean_i s_i"
    CONTINUOUS = "A is continuous in J"


def named_laws(names: str) -> frozenset[Law]:
    """The laws of these names, which blanks separate, and the three that every method keeps."""
    return frozenset({Law.HOMOGENEOUS, Law.ROTATION, Law.ZERO_TO_ZERO, *(Law[name] for name in names.split())})
