"""Misreadings of PCGrad, MGDA, CAGrad, IMTL-G, Nash-MTL and FairGrad, made by hand."""

from tests.mutation.by_hand import Misreading

_EQUAL = "Solution([1 / form.tasks] * len(form.live))"
_FRANK_WOLFE = """weights = [1 / len(form.lengths)] * len(form.lengths)
    for turn in range(5):
        products = form.apply([a * s for a, s in zip(weights, form.lengths, strict=True)])
        slopes = [s * product for s, product in zip(form.lengths, products, strict=True)]
        best = min(range(len(slopes)), key=slopes.__getitem__)
        share = 2 / (turn + 2)
        weights = [a * (1 - share) + (share if i == best else 0.0) for i, a in enumerate(weights)]
    return [a * s for a, s in zip(weights, form.lengths, strict=True)]"""

BARGAINS = (
    Misreading(
        "PCGrad projects on its own gradient too",
        "weightings/pcgrad.py",
        "    keys.fill_diagonal_(2.0)\n    return keys.argsort(dim=1)[:, :-1]\n",
        "    return keys.argsort(dim=1)\n",
        "algorithm 1 goes through the other tasks only",
    ),
    Misreading(
        "PCGrad goes through the tasks in one fixed order",
        "weightings/pcgrad.py",
        "keys = torch.rand(tasks, tasks, dtype=torch.float64, generator=generator)",
        "keys = torch.arange(tasks, dtype=torch.float64).repeat(tasks, 1)",
        "the order is random",
    ),
    Misreading(
        "PCGrad draws one order for all tasks",
        "weightings/pcgrad.py",
        "keys = torch.rand(tasks, tasks, dtype=torch.float64, generator=generator)",
        "keys = torch.rand(tasks, dtype=torch.float64, generator=generator).repeat(tasks, 1)",
        "every task draws its own order",
    ),
    Misreading(
        "PCGrad draws from the global generator",
        "weightings/pcgrad.py",
        "keys = torch.rand(tasks, tasks, dtype=torch.float64, generator=generator)",
        "keys = torch.rand(tasks, tasks, dtype=torch.float64)",
        "randomness comes from the argument alone",
    ),
    Misreading(
        "PCGrad stops after the first conflict",
        "weightings/pcgrad.py",
        "conflicts = products[everyone, against].clamp(max=0.0)",
        "conflicts = products[everyone, against].clamp(max=0.0) * (coefficients.count_nonzero(dim=1) <= 1)",
        "the projections go on",
    ),
    Misreading(
        "PCGrad projects on gradients that are projected already",
        "weightings/pcgrad.py",
        "products = products - conflicts.unsqueeze(1) * form.cosines[against]",
        "products = products - conflicts.unsqueeze(1) * (products / form.norms.unsqueeze(1))[against]",
        "the original gradients of the other tasks are projected on",
    ),
    Misreading(
        "PCGrad removes the component also without a conflict",
        "weightings/pcgrad.py",
        "conflicts = products[everyone, against].clamp(max=0.0)",
        "conflicts = products[everyone, against]",
        "only a negative product is a conflict",
    ),
    Misreading(
        "PCGrad for two tasks projects one of them only",
        "weightings/pcgrad.py",
        "return Solution([(1 - conflict * other / own) / divisor for own, other in pair])",
        "return Solution([(1 - conflict * other / own * (i == 0)) / divisor for i, (own, other) in enumerate(pair)])",
        "both gradients are projected",
    ),
    Misreading(
        "PCGrad's mean leaves zero rows out of m",
        "weightings/pcgrad.py",
        'divisor = form.tasks if self.reduction == "mean" else 1',
        'divisor = count if self.reduction == "mean" else 1',
        "zero rows count in m",
    ),
    Misreading(
        "MGDA is five iterations of Frank-Wolfe for m > 2",
        "weightings/mgda.py",
        "reciprocal = min(form.lengths) / form.norms\n",
        "".join(("pass\n    ", _FRANK_WOLFE, "\n    reciprocal = min(form.lengths) / form.norms\n")),
        "the shortest vector, not an approximation",
    ),
    Misreading(
        "MGDA of normalised gradients",
        "weightings/mgda.py",
        "total = left / first + right / second\n        return [left / total, right / total]",
        "return [first * second / (first + second)] * 2",
        "the hull is that of the gradients themselves",
    ),
    Misreading(
        "MGDA ignores zero rows",
        "weightings/mgda.py",
        "if len(form.live) < form.tasks:",
        "if False:",
        "a zero row is the shortest vector",
    ),
    Misreading(
        "MGDA gives all weight to the longer of two rows",
        "weightings/mgda.py",
        "return [0.0, second] if left <= 0 else [first, 0.0]",
        "return [first, 0.0] if left <= 0 else [0.0, second]",
        "the shorter one is the nearest point",
    ),
    Misreading(
        "MGDA without a certificate",
        "weightings/mgda.py",
        "gap = max(dot(scaled, products) - min(map(mul, form.lengths, products)), 0.0)",
        "gap = 0.0",
        "min_i <g_i, d> = ||d||^2 - gap",
    ),
    Misreading(
        "MGDA's gap in the units of the largest row",
        "weightings/mgda.py",
        "gap * form.scale * form.scale",
        "gap",
        "the gap is absolute",
    ),
    Misreading(
        "CAGrad's radius is m times as large",
        "weightings/cagrad.py",
        "radius = self.c * math.sqrt(dot(mean, alignment))",
        "radius = self.c * count * math.sqrt(dot(mean, alignment))",
        "||g_0|| is the length of the mean",
    ),
    Misreading(
        "CAGrad is the mean",
        "weightings/cagrad.py",
        "scaled = list(map(add, alignment, form.apply(addition))), list(map(add, mean, addition))",
        "scaled = list(map(add, alignment, form.apply(addition))), mean",
        "c ||g_0|| g_w / ||g_w|| is added",
    ),
    Misreading(
        "CAGrad around the sum of the gradients",
        "weightings/cagrad.py",
        "mean = [length / count for length in form.lengths]",
        "mean = list(form.lengths)",
        "g_0 is the mean",
    ),
    Misreading(
        "CAGrad leaves zero rows out of m",
        "weightings/cagrad.py",
        "shrink = (count / form.tasks) / (",
        "shrink = 1.0 / (",
        "zero rows count in m",
    ),
    Misreading(
        "CAGrad divides by 1 + c where 1 + c^2 is asked for",
        "weightings/cagrad.py",
        "(1.0, 1.0 + self.c**2, 1.0 + self.c)[self.rescale]",
        "(1.0, 1.0 + self.c, 1.0 + self.c**2)[self.rescale]",
        "rescale=1 is 1 + c^2",
    ),
    Misreading(
        "CAGrad adds something of any length inside the ball",
        "weightings/cagrad.py",
        "factor = radius / form.length(addition)",
        "factor = min(radius / form.length(addition), 1.0)",
        "the optimum lies on the sphere",
    ),
    Misreading(
        "CAGrad goes to the sphere although zero is in the hull",
        "weightings/cagrad.py",
        "if form.length(at_zero) <= radius * (1 + 8 * EPS):",
        "if False:",
        "of several optima the one nearest to g_0",
    ),
    Misreading(
        "IMTL-G is the mean for m > 2",
        "weightings/imtlg.py",
        "solution, condition = solve_ones(form)\n",
        f"if len(form.live) > 2:\n            return {_EQUAL}\n        solution, condition = solve_ones(form)\n",
        "equal projections for every m",
    ),
    Misreading(
        "IMTL-G's weights are positive",
        "weightings/imtlg.py",
        "values = form.over_lengths(solution)",
        "values = [max(value, 0.0) for value in form.over_lengths(solution)]",
        "their signs are free",
    ),
    Misreading(
        "IMTL-G equalises products with the gradients, not with the unit ones",
        "weightings/imtlg.py",
        "values = form.over_lengths(solution)",
        "values = list(solution)",
        "<d, u_i> are equal",
    ),
    Misreading(
        "IMTL-G's weights sum to m",
        "weightings/imtlg.py",
        "return Solution([value / total for value in values], gap * form.scale)",
        "return Solution([len(values) * value / total for value in values], gap * form.scale)",
        "they sum to 1",
    ),
    Misreading(
        "IMTL-G inverts dependent rows",
        "weightings/imtlg.py",
        "if rank == size:",
        "if True:",
        "dependent unit rows take the pseudo-inverse",
    ),
    Misreading(
        "Nash-MTL and FairGrad are the sum for m > 2",
        "weightings/nash_fair.py",
        "scaled, residual, limit = fair_point(form, self.alpha)\n",
        "if len(form.live) > 2:\n            return Solution([1.0] * len(form.live))\n"
        "        scaled, residual, limit = fair_point(form, self.alpha)\n",
        "(G a)_i = a_i^(-1/alpha) for every m",
    ),
    Misreading(
        "FairGrad's weights are uniform",
        "weightings/nash_fair.py",
        "Solution(form.over_lengths([factor * value for value in scaled]), residual)",
        "Solution([sum(form.over_lengths(scaled)) * factor / count] * count, residual)",
        "every task has its own weight",
    ),
    Misreading(
        "FairGrad's exponent is alpha and not 1/alpha",
        "weightings/nash_fair.py",
        "scaled, residual, limit = fair_point(form, self.alpha)",
        "scaled, residual, limit = fair_point(form, 1 / self.alpha)",
        "(G a)_i = a_i^(-1/alpha)",
    ),
    Misreading(
        "FairGrad of the norm scale keeps its own degree",
        "weightings/nash_fair.py",
        'return 1.0 if self.scale == "norm" else (1 - self.alpha) / (1 + self.alpha)',
        "return (1 - self.alpha) / (1 + self.alpha)",
        'scale="norm" is of degree 1',
    ),
    Misreading(
        "Nash-MTL's norm scale without sqrt m",
        "weightings/nash_fair.py",
        "of_norms = (sum(form.lengths) / count) ** -power / math.sqrt(count)",
        "of_norms = (sum(form.lengths) / count) ** -power",
        "mean_i ||g_i|| / sqrt m",
    ),
    Misreading(
        "Nash-MTL never finds a stationary point",
        "weightings/nash_fair.py",
        "if not residual <= limit < math.inf:",
        "if False:",
        "there is no solution when 0 is in the hull",
    ),
)
