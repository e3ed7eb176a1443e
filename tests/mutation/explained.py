"""Survivors with a reason: the fault can not be told from the core by what the contract promises.

A key is the identity of a mutant (``python -m tests.mutation`` prints it); one that no longer exists fails a test.
"""

EXPLAINED = {
    (
        "flatmtl_core/transaction.py:Buffers.restore: and and or: buffer is not None and copy is not None -> ((buffer"
        " is not None) or (copy is not None)) #0"
    ): ("the copy of a buffer is None exactly where the buffer is None"),
    "flatmtl_core/report.py:_negative_share: constant: 0 -> (-1) #1": ("the first and the last of a list of one"),
    "flatmtl_core/perturb.py:: arithmetic: 2.0**96 -> 2.0*96 #0": (
        "a factor that acts through two powers of two, exact wherever the entries are, gives the same sums "
        "also where one factor would have done"
    ),
    "by hand: CAGrad adds something of any length inside the ball": (
        "both searches end on the sphere already; the factor takes away their rounding only"
    ),
    "by hand: a solve without refinement": (
        "a Cholesky solve is backward stable; one step of refinement in the same precision makes a residual "
        "smaller that the contract allows anyway"
    ),
    "flatmtl_core/weightings/nash_fair.py:_newton: constant: 1 -> 0 #4": (
        "a search that no longer stops when it stalls goes on to its last step and keeps the best point"
    ),
    "flatmtl_core/weightings/nash_fair.py:_pair: constant: 0 -> (-1) #3": ("range(-1) is as empty as range(0)"),
    "flatmtl_core/weightings/nash_fair.py:_FairProblem.newton: constant: 1e-4 -> (1000 * 1e-4) #0": (
        "Armijo's constant: the search ends at the same point with any value below 1/2"
    ),
    "flatmtl_core/weightings/config.py:ConFIG.solve: arithmetic: 8 * len(solution) -> 8 / len(solution) #0": (
        "the factor of a threshold that tells rounding from data: decades lie between the two"
    ),
    "flatmtl_core/weightings/imtlg.py:solve_ones: comparison: value > cut -> value >= cut #0": (
        "an eigenvalue that equals the cut to the last bit"
    ),
    "flatmtl_core/weightings/cagrad.py:_many_at_radius: break and continue: break -> continue #1": (
        "a search that has found its root only goes on until its value repeats"
    ),
    "flatmtl_core/weightings/mgda.py:min_norm_point: condition fixed: len(form.lengths) == 1 -> False #0": (
        "a short cut: the general way gives the same weight of one"
    ),
    "flatmtl_core/cosine.py:CosineForm.apply: comparison: len(values) > _MANY -> len(values) <= _MANY #0": (
        "two ways to form the same products, one faster for few rows"
    ),
    "flatmtl_core/cosine.py:_positive_part: condition fixed: is_positive_definite(cosines) -> False #0": (
        "a short cut: the eigenvalues then say the same"
    ),
    "flatmtl_core/nonnegative.py:_restart: comparison: min(values) > 0 -> min(values) >= 0 #0": (
        "a variable that is zero may count as active or not: the same point"
    ),
    "flatmtl_core/nonnegative.py:_restart: constant: 1e-9 -> (1000 * 1e-9) #0": (
        "a guess that is refused is found again column by column"
    ),
    "flatmtl_core/linalg.py:gramian: condition fixed: count in HALVED and rows.is_cpu -> False #0": (
        "a faster way to form the same products"
    ),
    "flatmtl_core/linalg.py:_products: comparison: strip == count -> strip != count #0": (
        "both ways form the same upper triangle; only that is read where rows are cut in strips"
    ),
    "flatmtl_core/linalg.py:_common_exponent: constant: 0 -> (-1) #0": (
        "a power of two that is taken out and put back, exactly"
    ),
    "flatmtl_core/nonnegative.py:: constant: 1e-9 -> 0.0 #0": (
        "one of several ridges, tried in turn only where no answer was found"
    ),
    "flatmtl_core/nonnegative.py:: constant: 1e-7 -> (1000 * 1e-7) #0": (
        "the last of several ridges, tried in turn only where no answer was found"
    ),
    "flatmtl_core/nonnegative.py:nonnegative_quadratic: constant: 0 -> (-1) #0": (
        "the first and the last dimension of a vector"
    ),
    "flatmtl_core/nonnegative.py:_exchange: constant: 0 -> (-1) #2": (
        "a variable that is zero may count as active or not: the same point"
    ),
    "flatmtl_core/nonnegative.py:_along_null: constant: 0.0 -> 1.0 #0": (
        "where the solve that follows starts; it ends at the same point"
    ),
    "flatmtl_core/weightings/cagrad.py:_root: comparison: under >= 0 -> under > 0 #0": (
        "a double root to the last bit; bisection finds it too"
    ),
    "flatmtl_core/weightings/imtlg.py:solve_ones: constant: 2 -> 1 #0": (
        "a short cut: the general way has the same line for two rows"
    ),
    "flatmtl_core/weightings/imtlg.py:IMTLG.solve: constant: 8 -> 7 #0": (
        "the factor of a threshold that tells rounding from data: decades lie between the two"
    ),
    "flatmtl_core/cosine.py:CosineForm.vanishes: constant: 8 -> 9 #0": (
        "the factor of a threshold that tells rounding from data: decades lie between the two"
    ),
    "flatmtl_core/weightings/nash_fair.py:_newton: constant: 4 -> 5 #0": (
        "a search that ends at 5 units of rounding instead of 4"
    ),
    "flatmtl_core/weightings/nash_fair.py:_newton: comparison: least <= 4 * EPS -> least < 4 * EPS #0": (
        "a residual that equals the limit to the last bit"
    ),
    (
        "flatmtl_core/cosine.py:_positive_part: comparison: smallest >= -16 * EPS * len(entries) -> smallest > -16 *"
        " EPS * len(entries) #0"
    ): ("an eigenvalue that equals the limit to the last bit"),
    "flatmtl_core/linalg.py:: constant: 9 -> 8 #0": (
        "which of two ways to form the same products is taken for eight rows"
    ),
    'flatmtl_core/linalg.py:to_host: arguments swapped: "cpu", torch.float64 -> torch.float64, "cpu" #0': (
        "executed on accelerators only: the tests marked gpu raise there"
    ),
    "flatmtl_core/linalg.py:_products: condition fixed: strip == count -> False #0": (
        "a short cut: one strip of all rows is the same product"
    ),
    "flatmtl_core/linalg.py:_common_exponent: comparison: abs(total) > span -> abs(total) >= span #0": (
        "a power of two that is taken out and put back, exactly, one binade earlier"
    ),
    "flatmtl_core/linalg.py:solve_positive: constant: 0 -> (-1) #1": (
        "LU in place of Cholesky, both refined: slower, and as exact"
    ),
    "flatmtl_core/nonnegative.py:nonnegative_quadratic: comparison: larger > ridge -> larger >= ridge #0": (
        "a search that found no answer is made once more, with the same end"
    ),
    "flatmtl_core/nonnegative.py:_exchange: arithmetic: 8 * len(values) -> 8 / len(values) #0": (
        "the factor of a threshold that tells rounding from data: decades lie between the two"
    ),
    "flatmtl_core/weightings/nash_fair.py:: constant: 1e-300 -> (1000 * 1e-300) #0": (
        "a floor hundreds of decades below what it keeps from zero"
    ),
    "flatmtl_core/weightings/pcgrad.py:draw_orders: constant: 2.0 -> (1000 * 2.0) #0": (
        "a key that sorts behind all draws from [0, 1)"
    ),
    "flatmtl_core/weightings/cagrad.py:_many_at_radius: function: max -> min #0": (
        "the size of a slack for the rounding of two ends: the largest of some products or the least"
    ),
}
