"""Misreadings of the linear methods, UPGrad, DualProj, Aligned-MTL, ConFIG and GradDrop, made by hand."""

from tests.mutation.by_hand import Misreading

_EQUAL = "Solution([1 / form.tasks] * len(form.live))"

OTHERS = (
    Misreading(
        "Mean leaves zero rows out of m",
        "weightings/constant.py",
        "return Solution([1 / form.tasks] * len(form.live))",
        "return Solution([1 / len(form.live)] * len(form.live))",
        "zero rows count in m",
    ),
    Misreading(
        "Mean is the sum",
        "weightings/constant.py",
        "return Solution([1 / form.tasks] * len(form.live))",
        "return Solution([1.0] * len(form.live))",
        "LS is the mean",
    ),
    Misreading(
        "Constant gives the weights of the first tasks to the live ones",
        "weightings/constant.py",
        "return Solution([self.weights[task] for task in form.live])",
        "return Solution(list(self.weights[: len(form.live)]))",
        "a weight belongs to its task",
    ),
    Misreading(
        "UPGrad is regularised",
        "weightings/dual_cone.py",
        "added = to_floats(nonnegative_quadratic(form.cosines, linear, start=start))",
        "added = to_floats(nonnegative_quadratic(form.cosines + 1e-3 * torch.eye(len(products), "
        "dtype=torch.float64), linear, start=start))",
        "the projection is exact",
    ),
    Misreading(
        "UPGrad is regularised at 1e-8",
        "weightings/dual_cone.py",
        "added = to_floats(nonnegative_quadratic(form.cosines, linear, start=start))",
        "added = to_floats(nonnegative_quadratic(form.cosines + 1e-8 * torch.eye(len(products), "
        "dtype=torch.float64), linear, start=start))",
        "the projection is exact, to rounding",
    ),
    Misreading(
        "UPGrad projects the unit gradients",
        "weightings/dual_cone.py",
        "total = (added @ form.norms + form.norms) / divisor",
        "total = (added.sum(1) + 1.0) / divisor",
        "every gradient itself is projected",
    ),
    Misreading(
        "UPGrad always takes the part that is orthogonal to all other rows",
        "weightings/dual_cone.py",
        "return added if min(to_floats(added.amin())) >= 0 else None",
        "return added",
        "only conflicts are removed",
    ),
    Misreading(
        "UPGrad leaves zero rows out of m",
        "weightings/dual_cone.py",
        'form.tasks if self.reduction == "mean" else 1',
        'count if self.reduction == "mean" else 1',
        "zero rows count in m",
    ),
    Misreading(
        "DualProj projects the sum",
        "weightings/dual_cone.py",
        "mean = [length / form.tasks for length in form.lengths]",
        "mean = list(form.lengths)",
        "the mean is projected",
    ),
    Misreading(
        "DualProj is the mean",
        "weightings/dual_cone.py",
        "return _solution(form, list(map(add, mean, added)), slack)",
        "return _solution(form, mean, slack)",
        "the multipliers are added",
    ),
    Misreading(
        "Aligned-MTL is the mean for m > 2",
        "weightings/aligned.py",
        "scaled = orthogonal_columns(",
        f"if len(form.live) > 2:\n            return {_EQUAL}\n        scaled = orthogonal_columns(",
        "one singular value for every m",
    ),
    Misreading(
        "Aligned-MTL takes the largest singular value",
        "weightings/aligned.py",
        "(roots.min() / roots)",
        "(roots.max() / roots)",
        "sqrt(l_r) is the smallest",
    ),
    Misreading(
        "Aligned-MTL's mean is a sum",
        "weightings/aligned.py",
        'share = 1 / form.tasks if self.reduction == "mean" else 1.0',
        "share = 1.0",
        "w = 1/m",
    ),
    Misreading(
        "Aligned-MTL cuts the rank at an absolute epsilon",
        "weightings/aligned.py",
        "left > 64 * len(norms) * EPS * squares",
        "left > 1e-10 * torch.ones_like(squares)",
        "the rank is that of the cosine matrix, whatever the norms are",
    ),
    Misreading(
        "ConFIG's length is a mean of products",
        "weightings/config.py",
        "factor = sum(map(mul, form.lengths, products)) / square",
        "factor = sum(map(mul, form.lengths, products)) / square / len(products)",
        "the sum of <g_i, e>",
    ),
    Misreading(
        "ConFIG of the gradients, not of the unit ones",
        "weightings/config.py",
        "for weight in form.over_lengths(solution)], gap)",
        "for weight in solution], gap)",
        "e is along U^+ 1",
    ),
    Misreading(
        "ConFIG is a unit vector",
        "weightings/config.py",
        "factor = sum(map(mul, form.lengths, products)) / square",
        "factor = 1.0 / square**0.5",
        "e times the sum of the products",
    ),
    Misreading(
        "GradDrop draws one number for all coordinates",
        "weightings/graddrop.py",
        "draws = torch.rand(part.shape, generator=generator",
        "draws = torch.rand(1, generator=generator",
        "one draw a coordinate",
    ),
    Misreading(
        "GradDrop keeps the sign of the larger share always",
        "weightings/graddrop.py",
        "(draws * (positive - negative) < positive)",
        "(0.5 * (positive - negative) < positive)",
        "the sign is drawn by its share",
    ),
    Misreading(
        "GradDrop exchanges the shares",
        "weightings/graddrop.py",
        "torch.where(keeps, positive, negative)",
        "torch.where(keeps, negative, positive)",
        "u < P keeps the positive ones",
    ),
    Misreading(
        "GradDrop's leak is the share that may be dropped",
        "weightings/graddrop.py",
        "torch.lerp(kept, positive + negative, self.leak)",
        "torch.lerp(positive + negative, kept, self.leak)",
        "the leak is never dropped",
    ),
)
