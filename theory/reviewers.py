"""What public reviewers asked of the theory, and which statements answer it.

Verdicts do not stand here: the report puts those of the labels, from the ledger, beside each answer.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Answer:
    """
    Args:
        identity: number of reviewer and question, such as R4.5.
        question, answer: in plain words; what is refuted, what survives, what is unknown.
        labels: statements of the blueprint that the answer rests on.
    """

    identity: str
    question: str
    labels: tuple[str, ...]
    answer: str


ANSWERS: tuple[Answer, ...] = (
    Answer(
        "R1.5",
        "What does it mean for a vector of losses to be at most the maximum of a vector?",
        ("vector-max", "coordinate-wise", "coordinate-not-scalar", "theorem-a", "theorem-a-prime", "theorem-c"),
        "Read as one perturbation at which every task attains its maximum it means nothing in general: two linear "
        "losses of opposite slopes have no such perturbation, and none that comes close. Three readings have a "
        "meaning and a theorem. Coordinate by coordinate, where every task has its own supremum: Theorem A. As a "
        "weighted sum under one common shared perturbation, with weights fixed before the sample: Theorem A'. As "
        "one perturbation at which the empirical losses dominate all population losses at once up to a slack, though "
        "it need not attain any maximum: Theorem C. Its slack is larger, and depends on the head norms of all tasks. "
        "The first does not imply the second; the third implies the second's inequality for all weights at once, with "
        "the third's slack.",
    ),
    Answer(
        "R1.6",
        "What is new against sharpness-aware minimisation for one task?",
        (
            "theorem-1-single",
            "foret-01",
            "foret-published",
            "foret-bounded",
            "induction",
            "vector-max",
            "union-over-tasks",
            "eq-7",
            "eq-11",
            "eq-16",
            "m-one",
            "linear-identity",
            "flat-is-penalty-gradient",
        ),
        "Taken over from Foret et al.: the PAC-Bayes argument with a Gaussian posterior and a grid of priors, the "
        "assumption on Gaussian noise, the first-order worst step and the dropping of second-order terms. For one "
        "task, and an aggregator that leaves one gradient as it is, the step is SAM with a radius for each block. New "
        "in the paper: a radius each for trunk and heads, a shared perturbation for every task, the split of each "
        "task's SAM gradient into a loss part and a flat part, and that the two are aggregated apart; for aggregators "
        "that are linear with the same weights in both calls this last step changes nothing. The theorem adds the "
        "passage from one task to m, and as published that passage does not hold. That the earlier bound covers the "
        "0-1 loss only is not so; it needs a bounded loss, which it does not say.",
    ),
    Answer(
        "R1.7",
        "What exactly is direct aggregation?",
        ("eq-15", "eq-16", "linear-identity", "intra-conflict-toy"),
        "One call of the aggregator on the m SAM gradients, A(g^{1,SAM}, .., g^{m,SAM}), where g^{i,SAM} is the sum "
        "of task i's loss and flat gradient; the decomposed step is A(loss gradients) + A(flat gradients). It is "
        'the mode combine="direct" of the step. The two agree for a linear aggregator with the same weights in both '
        "calls. For MGDA they differ, in either direction: a toy where direct stands still and decomposed moves, "
        "and one the other way round.",
    ),
    Answer(
        "R1.9",
        "Which theorem says that the step helps earlier multi-task methods?",
        ("theorem-1", "theorem-a", "descent-condition", "descent-radius", "intra-conflict-toy"),
        "None. The bounds hold for every parameter alike (those with Gaussians where the assumption on noise holds), "
        "however it was found; they name no aggregator, compare no two methods and do not mention the decomposition. "
        "About the step itself less is true than one might wish: that the loss direction raises no task's loss to "
        "first order is not inherited by the sum of both directions. For MGDA a condition on norms suffices; the "
        "largest radius that it allows, exact on quadratics and of first order elsewhere, can be logged. Whether the "
        "step helps is a question to experiments.",
    ),
    Answer(
        "R1.11",
        "What is the two-task problem behind the first figure?",
        ("toy-2d", "intra-conflict-toy", "descent-condition"),
        "The paper's figure is a sketch. Ours is computed from two explicit quadratics in two parameters, with "
        "integer, positive definite matrices: loss gradients and flat gradients are in conflict, the decomposed "
        "direction of MGDA lowers both losses and both penalties to first order, and the direct one raises a loss; a "
        "second pair has the roles changed. Further toys: the two SAM gradients are opposite, so that MGDA on them "
        "stops while the decomposed step moves; with a matrix changed the decomposed step stops and direct moves; and "
        "the sum of both directions increases a task's loss to first order, though the loss direction lowers both. "
        "They show what can happen, not what is typical.",
    ),
    Answer(
        "R2.1",
        "Is Theorem 1 more than intuition: how large is it, and what does each assumption do?",
        (
            "theorem-1",
            "salvage",
            "large-norm",
            "beta-sqrt-n",
            "scope",
            "induction",
            "vector-max",
            "one-sigma",
            "drop-bounded-loss",
            "drop-iid",
            "drop-fixed-radii",
            "gauss-concave",
            "theorem-a",
            "theorem-b",
            "theorem-a-prime",
            "theorem-c",
            "vacuous-at-size",
        ),
        "As published it is not proved: the passage over tasks, the maximum of a vector and the one Gaussian for "
        "two radii do not hold as written. For the single ball and coordinate by coordinate its number survives "
        "where salvage's condition on L, m, N and T holds; beyond that it is unknown. Theorems A, A', B and C are "
        "what we can prove in its place. Without a bound on the loss, with dependent samples, or with a radius "
        "chosen after the sample, statements of its form fail, by small exact examples; the Gaussian assumption can "
        "fail at the parameter that training returns. Whether the published slack needs that assumption is unknown: "
        "Theorem A does without it, with another slack. At the size of ResNet-18 every version exceeds the largest "
        "loss, unless the trunk's norm is below its radius: it supports the method in kind, not in number.",
    ),
    Answer(
        "R2.2",
        "Why decompose at all in multi-task learning?",
        ("linear-identity", "flat-is-penalty-gradient", "intra-conflict-toy", "rho-zero"),
        "There is no theorem that one should. What can be said: to first order in the radii the flat gradient is the "
        "gradient of the two weighted gradient norms, so loss and sharpness are two objectives for each task, which a "
        "nonlinear aggregator can treat apart. For linear aggregators with the same weights the decomposition changes "
        "nothing; at radius zero, with a deterministic forward pass and an aggregator that neither draws nor "
        "remembers, the step is the base method. For MGDA it can move where direct aggregation cancels, and cancel "
        "where direct aggregation moves.",
    ),
    Answer(
        "R4.1",
        "Is the decomposition more than a heuristic?",
        (
            "flat-is-penalty-gradient",
            "linear-identity",
            "intra-conflict-toy",
            "descent-condition",
            "descent-radius",
            "adaptive-mismatch",
            "separate-vs-joint",
        ),
        "It is a heuristic with a first-order meaning. The flat gradient is the gradient of the sharpness penalty of "
        "eq. 13 up to a remainder of second order in the radii, exactly on quadratics; with adaptive radii only if the "
        "scale |w| is frozen. That one should aggregate the two parts apart follows from no equation of the paper: the "
        "bound does not say by which steps to make it small. A direction that lowers all losses and one that lowers "
        "all penalties can have a sum that raises a loss, by an explicit example; a sufficient condition on norms is "
        "stated.",
    ),
    Answer(
        "R4.2",
        "The loss has to be bounded, and this was not stated. Which losses qualify?",
        ("bounded-loss", "drop-bounded-loss", "clipped-loss", "scope", "hoeffding-mgf"),
        "The bound L enters through Hoeffding's lemma and stands in every version of the theorem. Without it no "
        "slack that does not know the loss's size suffices, by examples with four samples: a slack of 1 fails for a "
        "loss of 0 or 8. Cross entropy and L1 have no bound, so of the losses that are trained the theorem speaks only "
        "of that of the normals, one minus a cosine, at most 2. It does speak of clipped ones: min(l, c) is bounded, "
        "and a bound on clipped cross entropy with c >= log 2 bounds the error rate; it says nothing on the mean of "
        "what was clipped.",
    ),
    Answer(
        "R4.3",
        "That Gaussian noise does not lower the test loss: for which parameters is it assumed, and is it true?",
        (
            "gauss-assumption",
            "gauss-second-order",
            "gauss-small-variance",
            "gauss-sign",
            "gauss-maximum",
            "gauss-concave",
            "gauss-low-dimension",
            "gauss-high-dimension",
            "theorem-a",
            "theorem-c",
        ),
        "It is assumed at the parameter that is returned, after seeing the sample. For quadratics it says that the "
        "trace of the Hessian of the population loss is not negative there; for smooth losses the trace's sign decides "
        "for all small variances, but at a given one neither way, by an example of two cosines. It is not a theorem: "
        "it fails at every global maximum of a continuous loss that is not constant, and with positive probability at "
        "the only minimiser of the empirical loss, for a smooth loss in [0, 1]. Assumed for all parameters, it leaves "
        "only almost everywhere constant losses in one and two dimensions; from three on there are others. Theorems A "
        "and C do without it. Whether it holds at trained networks is measured on held-out data, and no proof is known "
        "to us.",
    ),
    Answer(
        "R4.4",
        "List the assumptions.",
        (
            "bounded-loss",
            "iid-sample",
            "fixed-radii",
            "gauss-assumption",
            "drop-bounded-loss",
            "drop-iid",
            "drop-fixed-radii",
            "scope",
            "theorem-1",
            "theorem-b",
            "theorem-a",
            "theorem-a-prime",
            "theorem-c",
        ),
        "Four. Losses lie in [0, L] and are measurable, for Theorem 1 and Theorem B jointly in data and parameter. "
        "Within each task the N samples are independent and identically distributed, and L_S is the mean of their "
        "losses at one parameter; tasks may depend on one another. Radii, deviations, priors and weights are chosen "
        "before the sample is seen. The Gaussian assumption holds at the returned parameter: for Theorem 1 and Theorem "
        "B, not for A, A' and C. None of the first three can be dropped, by exact counterexamples. In practice they "
        "are bent: all losses but one are unbounded, batch norm in train mode makes the losses of a batch depend on "
        "one another, overlays share images, and radii are tuned. The fourth is not known to hold.",
    ),
    Answer(
        "R4.5",
        "The induction over tasks treats m events of probability 1 - delta as one: should it not be log(m/delta)?",
        ("induction", "joint-coverage", "union-over-tasks", "salvage"),
        "Yes. The inference is refuted by two coins, and by two tasks with losses in [0, 1] whose single-task "
        "statements, of the theorem's own form, have probability exactly 1 - delta: jointly they have (1 - delta)^2 if "
        "the tasks are independent, and 1 - 2 delta, zero for one sample, if one task's label is the other's opposite. "
        "In general it is at least max(0, 1 - m delta), which is attained. For 40 tasks at delta = 0.05 the joint "
        "level is 0.128 if independent and can be zero. With log(m/delta) it is right for every dependence. The "
        "refutation is of the inference: the published number is loose enough to absorb log m, where salvage's "
        "condition holds.",
    ),
    Answer(
        "R4.6",
        "Would a plain union bound not do?",
        ("union-over-tasks", "theorem-a", "theorem-b"),
        "It does, and it adds log m to the complexity term, once. Theorems A and B are proved that way, with delta "
        "/ m for each task and no assumption on how tasks depend on one another. In our two-task example one more "
        "sample pays for it.",
    ),
    Answer(
        "R4.7",
        "Is the maximum over a vector-valued function defined?",
        ("vector-max", "coordinate-wise", "coordinate-not-scalar", "theorem-a", "theorem-a-prime", "theorem-c"),
        "Not as a maximum that is attained: the smallest vector that dominates all loss vectors of the ball is the "
        "vector of the tasks' own suprema, and in general no perturbation attains it. The coordinate-wise inequality "
        "is well defined and proved as Theorem A. A scalarised inequality with one common shared perturbation is well "
        "defined too; it does not follow from the coordinate-wise one, by a counterexample, and has its own proof as "
        "Theorem A', for weights that are fixed before the sample; for weights chosen after it, with a larger slack, "
        "by Theorem C.",
    ),
    Answer(
        "R4.8",
        "The derivation replaces a common shared perturbation by one for each task: is that legitimate?",
        ("common-vs-per-task", "sup-of-sum", "vector-max", "theorem-a-prime", "theorem-c", "eq-9", "eq-10"),
        "It is a relaxation in the safe direction: in every coordinate and under every weighting the worst case with a "
        "perturbation for each task is at least that of a common one, strictly so for two opposite slopes, and equal "
        "where one perturbation serves all. For two linearised losses with positive weights equality holds exactly "
        "where the gradients have the same direction or one is zero. So what the step makes small is, to first order, "
        "an upper bound of eq. 9, not eq. 9; how far apart they are in training is measured. Theorem C shows that a "
        "common perturbation can be had in the bound, at the price of a larger slack, which depends on the head norms "
        "of all tasks.",
    ),
)
