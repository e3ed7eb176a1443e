"""The bound of the SAM paper for one ball around trunk and head: as published, and with what its proof leaves out.

Source: Foret, Kleiner, Mobahi and Neyshabur 2021, Sharpness-aware minimization, theorem 2 (appendix A.1). What holds of
it, and what does not: foret-published, foret-bounded and foret-corrected in theory/blueprint.py.
"""

from theory.bounds.complexity import Complexity, Setting
from theory.bounds.main_theorem import check_task, confidence, log_tasks, log_variances, rooted
from theory.bounds.quantities import InvalidBound
from theory.bounds.rounding import Interval, log, sqrt


def _ball(setting: Setting, task: int) -> tuple[int, Interval]:
    """k of trunk and head together, and the norm of both over the smaller radius: that ball lies in the product."""
    check_task(setting, task)
    shared, head = Interval.of(setting.norm_shared), Interval.of(setting.norm_heads[task])
    ratio = sqrt(shared * shared + head * head) / min(setting.rho_shared, setting.rho_heads)
    return setting.k_shared + setting.k_heads[task], ratio


def foret(setting: Setting, task: int) -> Complexity:
    """``sqrt([k log(1 + (||w||^2/rho^2) (1 + sqrt(log N / k))^2) + 4 log(N/delta) + 8 log(6N + 3k)] / (N - 1))``.

    As published, at delta for each task; L does not occur. The theorem has an O~(1) where the last line of its proof
    has ``8 log(6N + 3k)``. In the record the radicand is that of L sqrt(C / (2N)): its terms are these times
    2N / ((N - 1) L^2).

    Raises:
        InvalidBound: one sample: the published form divides by N - 1.
    """
    size, ratio = _ball(setting, task)
    n = setting.n_samples
    if n < 2:
        raise InvalidBound("n_samples", n, "at least 2", "The published bound divides by N - 1.")
    factor = 2.0 * n / (Interval.of(float(n - 1)) * setting.limit * setting.limit)
    parts = [
        ("whole network", 2.0 * log_variances(size, ratio, n)),
        ("confidence", 4.0 * confidence(setting)),
        ("log N", 4.0 * log(float(n))),
        ("prior grid", 8.0 * log(6.0 * n + 3.0 * size)),
    ]
    return rooted("Foret", setting, [(name, part * factor) for name, part in parts])


def foret_corrected(setting: Setting, task: int) -> Complexity:
    """``L/sqrt N + L sqrt([KL + log(2 sqrt N m/delta) + 2 log(1.29 (1 + 4N))] / (2N))``, for all m tasks at once,
    ``KL = 1/(4k) + (k/2) log(1 + (||w||^2/rho^2) (1 + sqrt(log N / k))^2)``.

    The square-root form of Theorem B for one ball in place of two: foret-01, radius, tail-term, and one-grid, whose
    price is 2 log in place of 4 log. Holds where E L_D^i(theta + eps) is at least L_D^i(theta) for eps
    ~ N(0, sigma^2 I) with sigma = rho / (sqrt k + sqrt(log N)), not for the noise of deviation rho that the published
    theorem names.
    """
    size, ratio = _ball(setting, task)
    n = setting.n_samples
    root_n = sqrt(float(n))
    parts = [
        ("whole network", log_variances(size, ratio, n)),
        ("grid step", 1.0 / Interval.of(4.0 * size)),
        ("confidence", confidence(setting)),
        ("tasks", log_tasks(setting)),
        ("log(2 sqrt N)", log(2.0 * root_n)),
        ("prior grid", 2.0 * log(Interval.of(129.0) / 100.0 * (1.0 + 4.0 * n))),
    ]
    return rooted("Foret corrected", setting, parts, [("outside the ball", setting.limit / root_n)])


def foret_is_bound(setting: Setting, task: int) -> bool:
    """Whether the published number is shown to bound the risk of every task: it is no smaller than the corrected one.

    The 2 that the published form has in front of the root pays for the tail and for many tasks, which it was not
    stated for: for losses in [0, 1], N >= 2 and up to (N/delta) (6N + 3k)^2 tasks it is a bound (foret-bounded). It
    does not pay for losses that reach far beyond 1.
    """
    return foret(setting, task).value >= foret_corrected(setting, task).value
