r"""The inference "each of m statements has probability >= 1 - delta, so all have it jointly": REFUTED.

Two fair coins are the least witness: each shows heads with probability 1/2; both do with 1/4, or never, where one is
the other turned over. It may be objected that the theorem's events are not coins. So let them be the theorem's:

One real parameter theta and two tasks with labels y_1, y_2, fair bits. For theta >= 0 both heads answer "no" and err
where the label is 1; for theta < 0 they abstain, at the loss 1/2. So l^i(theta) = y_i or 1/2, in [0, 1], and
L_D^i = 1/2 everywhere: the Gaussian assumption L_D^i(theta) <= E L_D^i(theta + eps) holds at every theta. With
f(x) = (1 - 1/(1 + x))/2, strictly increasing, and rho = 1, the statement
    A_i:  for all theta, L_D^i(theta) <= max_{|eps| <= 1} L_S^i(theta + eps) + f(theta^2)
is false exactly when all N labels y_i are 0 (N <= 4): P(A_i) = 1 - delta, delta = 2^{-N}. Yet P(A_1 and A_2) is
(1 - delta)^2 when the labels are independent, and 1 - 2 delta, which is 0 at N = 1, when y_2 = 1 - y_1: two classes,
one task for each. Where y_2 = y_1 the inference is right.

What is refuted is the inference. The published number is another matter: see salvage.

Paper: proof of Theorem 1 (reconstructed): "by induction", with the same xi in every step.
"""

from collections.abc import Callable
from fractions import Fraction
from operator import itemgetter

from theory.ledger import Finding
from theory.proof.chain.line_losses import Steps, Task
from theory.proof.kernels.enumeration import (
    Case,
    Comparison,
    OppositeFamily,
    Space,
    for_all,
    independent,
    uniform,
)

HALF = Fraction(1, 2)
RHO = Fraction(1)
Labels = tuple[int, int]
LABELS: dict[str, Space[Labels]] = {
    "independent labels": uniform([(0, 0), (0, 1), (1, 0), (1, 1)]),
    "complementary labels": uniform([(0, 1), (1, 0)]),
    "equal labels": uniform([(0, 0), (1, 1)]),
}


def check() -> list[Finding]:
    """The coins, then the theorem's own events."""
    pairs = ("independent labels", "complementary labels")
    return [*map(coins, pairs), *(on_the_line(pair, n_samples) for pair in pairs for n_samples in (1, 4))]


def coins(pair: str) -> Finding:
    """Two coins at delta = 1/2."""

    def case(name: str) -> Case:
        space = LABELS[name]
        each = [Comparison(f"P(A_{i + 1})", space.law(itemgetter(i)).probabilities[1], "=", HALF) for i in (0, 1)]
        return Case(name, space, Comparison("P(A_1 and A_2)", space.probability(all), ">=", HALF), tuple(each))

    return for_all(
        f"two coins, {pair}",
        f"two events of probability 1/2 hold jointly with probability >= 1/2 ({pair})",
        [case(pair)],
        [OppositeFamily("the two are one event", [case("equal labels")])],
    )


def on_the_line(pair: str, n_samples: int) -> Finding:
    """The theorem's events at delta = 2^{-N}."""
    delta = Fraction(1, 2**n_samples)
    return for_all(
        f"theorem's events, {pair}, N = {n_samples}",
        f"two tasks on the line, {pair}, losses in [0, 1], L_D^i constant, rho = 1, f(x) = (1 - 1/(1 + x))/2: as "
        f"'for all theta, L_D^i <= max L_S^i + f' has probability 1 - delta = {1 - delta} for i = 1 and i = 2, "
        "both have jointly >= 1 - delta",
        [line_case(pair, n_samples, delta)],
        [OppositeFamily("equal labels", [line_case("equal labels", n_samples, delta)])],
    )


def line_case(pair: str, n_samples: int, delta: Fraction, exponent: int = 0) -> Case:
    """P(A_1 and A_2) >= 1 - delta, where P(A_i) = 1 - delta / 2^exponent."""
    space = independent([LABELS[pair]] * n_samples)
    events = [event(LABELS[pair], i) for i in (0, 1)]
    single = 1 - delta / 2**exponent
    each = [Comparison(f"P(A_{i + 1})", space.probability(a), "=", single) for i, a in enumerate(events)]
    joint = space.probability(lambda sample: all(a(sample) for a in events))
    flat = [Comparison(f"variation of L_D^{i + 1}", variation(task(LABELS[pair], i)), "=", Fraction(0)) for i in (0, 1)]
    name = f"N = {n_samples}, {pair}, delta = {delta}"
    return Case(name, space, Comparison("P(A_1 and A_2)", joint, ">=", 1 - delta), (*flat, *each))


def task(law: Space[Labels], i: int) -> Task[Labels]:
    """Abstain left of 0, answer "no" from 0 on."""
    losses = {labels: Steps((Fraction(0),), (HALF, Fraction(labels[i]))) for labels in law.probabilities}
    return Task(losses, law)


def variation(of: Task[Labels]) -> Fraction:
    """max L_D - min L_D."""
    return max(of.population.values) - min(of.population.values)


def event(law: Space[Labels], i: int) -> Callable[[tuple[Labels, ...]], bool]:
    """A_i."""
    one = task(law, i)
    return lambda sample: one.generalises(sample, RHO, lambda x: (1 - 1 / (1 + x)) / 2)
