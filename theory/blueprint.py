"""THE table: every statement with its label, what it says, what checks it, and what it uses. The page to audit.

Verdicts do not stand here: ``python -m theory verify`` computes them. ``expected`` says which outcome would surprise.
"""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["definition", "textbook", "premise", "lemma", "theorem", "equation", "remark"]
Expected = Literal["holds", "refuted", "assumed"]


@dataclass(frozen=True)
class Entry:
    """One statement.

    Args:
        label: its name in code, tests and report.
        kind: "textbook": a theorem of the literature; "premise": a statement about the world, assumed by a theorem;
            "remark": said of the theorem from outside.
        title: a few words.
        latex, words: the statement as a formula, and in plain words. Of what is refuted: the statement that is false.
        paper: where the paper says it; "ours" where it does not.
        checks: functions ``package.module:function`` that return its findings. None for what is assumed.
        code: functions of the other rooms that compute it.
        tests: pytest nodes ``tests/...py::test``.
        uses: labels that its proof rests on.
        source: citation, of a textbook fact or a premise.
        weaker: where the statement says less than the paper's wording: the reason.
    """

    label: str
    kind: Kind
    title: str
    latex: str
    words: str
    paper: str = "ours"
    checks: tuple[str, ...] = ()
    code: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()
    expected: Expected = "holds"
    source: str = ""
    weaker: str = ""


RECONSTRUCTED = "proof of Theorem 1 (reconstructed)"
PAC_BAYES = "tests/theory/test_pac_bayes_chain.py"

TEXTBOOK: tuple[Entry, ...] = (
    Entry(
        "integral",
        "textbook",
        "The integral is linear and monotone",
        r"f \le g \Rightarrow \mathbb{E} f \le \mathbb{E} g, \ \mathbb{E}(af + bg) = a \mathbb{E} f + b \mathbb{E} g",
        "Expectations are linear, and keep inequalities that hold at every point.",
        expected="assumed",
        source="P. Billingsley, Probability and Measure, 3rd ed. (1995), section 15",
    ),
    Entry(
        "fubini",
        "textbook",
        "The order of two integrals of a nonnegative function may be exchanged",
        r"\mathbb{E}_P \mathbb{E}_S f = \mathbb{E}_S \mathbb{E}_P f",
        "Tonelli's theorem, for a prior that does not depend on the sample.",
        expected="assumed",
        source="P. Billingsley, Probability and Measure, 3rd ed. (1995), theorem 18.3",
    ),
    Entry(
        "independence",
        "textbook",
        "The mean of a product of independent factors is the product of their means",
        r"\mathbb{E} \prod_n X_n = \prod_n \mathbb{E} X_n",
        "For independent, bounded or nonnegative, factors.",
        expected="assumed",
        source="P. Billingsley, Probability and Measure, 3rd ed. (1995), section 21",
    ),
    Entry(
        "subadditivity",
        "textbook",
        "Countable subadditivity",
        r"P(\bigcup_j A_j) \le \sum_j P(A_j)",
        "The union bound, over countably many events.",
        expected="assumed",
        source="P. Billingsley, Probability and Measure, 3rd ed. (1995), theorem 2.1",
    ),
    Entry(
        "fatou",
        "textbook",
        "Fatou's lemma for events",
        r"P(\liminf_n H_n) \le \liminf_n P(H_n)",
        "That all but finitely many H_n happen is no more probable than the lower limit of their probabilities.",
        expected="assumed",
        source="P. Billingsley, Probability and Measure, 3rd ed. (1995), theorem 4.1",
    ),
    Entry(
        "volume",
        "textbook",
        "Volume of a ball in R^k scales with the k-th power of its radius",
        r"\operatorname{vol}(B_{cR}) = c^k \operatorname{vol}(B_R)",
        "Lebesgue measure is additive, invariant under translations and homogeneous of degree k.",
        expected="assumed",
        source="P. Billingsley, Probability and Measure, 3rd ed. (1995), section 12",
    ),
    Entry(
        "taylor",
        "textbook",
        "Taylor's theorem with the remainder of Lagrange",
        r"f(t) = f(a) + f'(a)(t - a) + \tfrac12 f''(\xi)(t - a)^2, \ f(t) = f(a) + f'(\xi)(t - a)",
        "Of order two, and of order one, which is the mean value theorem: xi lies between a and t.",
        expected="assumed",
        source="W. Rudin, Principles of Mathematical Analysis, 3rd ed. (1976), theorem 5.15",
    ),
    Entry(
        "differentiation",
        "textbook",
        "A moment generating function is differentiated under the integral",
        r"\tfrac{d^k}{du^k} \mathbb{E} e^{uX} = \mathbb{E} X^k e^{uX}",
        "For a bounded random variable X, every real u and every order k.",
        expected="assumed",
        source="P. Billingsley, Probability and Measure, 3rd ed. (1995), theorem 16.8",
    ),
    Entry(
        "stirling",
        "textbook",
        "Stirling's formula with Robbins' bounds",
        r"\tfrac{1}{12n + 1} < \log n! - \tfrac12 \log 2\pi - (n + \tfrac12) \log n + n < \tfrac{1}{12n}",
        "For every integer n >= 1.",
        expected="assumed",
        source="H. Robbins, A remark on Stirling's formula, Amer. Math. Monthly 62 (1955), 26-29",
    ),
)

CHAIN: tuple[Entry, ...] = (
    Entry(
        "log-tangent",
        "lemma",
        "The logarithm lies below its tangent at one",
        r"\log t \le t - 1 \ (t > 0), \quad e^x \ge 1 + x",
        "Gibbs' inequality at one point.",
        checks=("theory.proof.chain.log_tangent:check",),
        tests=(f"{PAC_BAYES}::test_statements_of_the_chain",),
        uses=("taylor",),
    ),
    Entry(
        "dv",
        "lemma",
        "Donsker-Varadhan",
        r"\mathbb{E}_Q f \le \mathrm{KL}(Q \| P) + \log \mathbb{E}_P e^f",
        "For probability measures P, Q and every measurable f with a finite mean of e^f under P.",
        paper=RECONSTRUCTED,
        checks=("theory.proof.chain.dv:check",),
        tests=(f"{PAC_BAYES}::test_statements_of_the_chain", f"{PAC_BAYES}::test_donsker_varadhan_in_numbers"),
        uses=("log-tangent", "integral"),
    ),
    Entry(
        "hoeffding-mgf",
        "lemma",
        "Hoeffding's lemma for the mean of N losses",
        r"\mathbb{E} e^{b(L_D - L_S)} \le e^{b^2 L^2 / (8N)}",
        "For every real b, and N iid samples whose losses lie in an interval of length L.",
        paper=RECONSTRUCTED,
        checks=("theory.proof.chain.hoeffding_mgf:check",),
        tests=(f"{PAC_BAYES}::test_statements_of_the_chain", f"{PAC_BAYES}::test_hoeffding_in_numbers"),
        uses=("differentiation", "taylor", "integral", "independence"),
    ),
    Entry(
        "markov",
        "lemma",
        "Markov's inequality in logarithms",
        r"Z \ge 0, \ \mathbb{E} Z \le c \Rightarrow P(\log Z \le \log c + \log\tfrac1\delta) \ge 1 - \delta",
        "For c > 0 and 0 < delta < 1.",
        paper=RECONSTRUCTED,
        checks=("theory.proof.chain.markov:check",),
        tests=(f"{PAC_BAYES}::test_statements_of_the_chain",),
        uses=("integral",),
    ),
    Entry(
        "alquier",
        "lemma",
        "PAC-Bayes with a fixed inverse temperature",
        r"\mathbb{E}_Q L_D \le \mathbb{E}_Q L_S + \frac{\mathrm{KL}(Q \| P) + \log(1/\delta)}{b} + \frac{b L^2}{8N}",
        "With probability at least 1 - delta for all Q at once; b > 0 and P are chosen before the sample.",
        paper=RECONSTRUCTED,
        checks=("theory.proof.chain.alquier:check",),
        tests=(f"{PAC_BAYES}::test_statements_of_the_chain",),
        uses=("dv", "hoeffding-mgf", "markov", "log-tangent", "fubini", "integral"),
    ),
    Entry(
        "beta-sqrt-n",
        "lemma",
        "The inverse temperature sqrt N",
        r"\mathbb{E}_Q L_D \le \mathbb{E}_Q L_S + \frac{\mathrm{KL}(Q \| P) + \log(1/\delta) + L^2/8}{\sqrt N}",
        "A valid choice; it costs (sqrt K - L / sqrt 8)^2 / sqrt N over the best b, K = KL + log(1/delta).",
        paper=RECONSTRUCTED,
        checks=("theory.proof.chain.beta_sqrt_n:check",),
        tests=(f"{PAC_BAYES}::test_statements_of_the_chain",),
        uses=("alquier",),
    ),
    Entry(
        "gaussian-kl",
        "lemma",
        "Divergence of two Gaussians",
        r"\mathrm{KL}(\mathcal{N}(\theta, \sigma^2 I) \| \mathcal{N}(0, \sigma_P^2 I)) = "
        r"\tfrac12 [T s / \sigma_P^2 - T + T \log(\sigma_P^2 / \sigma^2)], \ s = \sigma^2 + \|\theta\|^2 / T",
        "In R^T, both covariances multiples of the identity.",
        paper=RECONSTRUCTED,
        checks=("theory.proof.chain.gaussian_kl:check",),
        tests=(f"{PAC_BAYES}::test_statements_of_the_chain", f"{PAC_BAYES}::test_gaussian_divergence_in_numbers"),
        uses=("integral", "fubini"),
    ),
    Entry(
        "grid-kl",
        "lemma",
        "Divergence from a prior of the grid",
        r"s \le \sigma_P^2 \le e^{1/T} s \Rightarrow "
        r"\mathrm{KL} \le \tfrac12 [1 + T \log(1 + \tfrac{\|\theta\|^2}{T \sigma^2})]",
        "The 1 can be replaced by 1/(2T).",
        paper=RECONSTRUCTED,
        checks=("theory.proof.chain.grid_kl:check",),
        tests=(f"{PAC_BAYES}::test_statements_of_the_chain",),
        uses=("gaussian-kl", "log-tangent", "taylor"),
    ),
    Entry(
        "bernoulli-convexity",
        "lemma",
        "Of all losses in [0, 1] the 0-1 loss deviates most",
        r"\mathbb{E} e^{N \mathrm{kl}(L_S \| \mu)} \le \mathbb{E} e^{N \mathrm{kl}(B_N / N \| \mu)}, \ "
        r"B_N \sim \mathrm{Bin}(N, \mu)",
        "For N iid losses in [0, 1] of mean mu, 0 < mu < 1.",
        checks=("theory.proof.chain.bernoulli_convexity:check",),
        tests=(f"{PAC_BAYES}::test_statements_of_the_chain", f"{PAC_BAYES}::test_maurer_in_numbers"),
        uses=("taylor", "independence", "fubini", "integral"),
    ),
    Entry(
        "maurer-mgf",
        "lemma",
        "Maurer's lemma for every N",
        r"\mathbb{E} e^{N \mathrm{kl}(L_S \| L_D)} \le 2 \sqrt N",
        "For N >= 1 iid losses in [0, 1].",
        checks=("theory.proof.chain.maurer_mgf:check",),
        tests=(f"{PAC_BAYES}::test_statements_of_the_chain", f"{PAC_BAYES}::test_maurer_in_numbers"),
        uses=("bernoulli-convexity", "stirling", "taylor", "integral"),
    ),
    Entry(
        "foret-01",
        "remark",
        "The bound behind SAM holds for every bounded loss",
        r"N\, \mathrm{kl}(\mathbb{E}_Q L_S / L \| \mathbb{E}_Q L_D / L) \le \mathrm{KL} + \log(2 \sqrt N / \delta), "
        r"\quad \mathbb{E}_Q L_D \le \mathbb{E}_Q L_S + L \sqrt{\tfrac{\mathrm{KL} + \log(N/\delta)}{2(N - 1)}} \ (N "
        r"\ge 2)",
        "With probability at least 1 - delta for all Q at once, losses in [0, L]: McAllester's bound, which Foret et "
        "al. use, is not confined to 0-1 loss.",
        paper="remark on the bound of Foret et al.",
        checks=("theory.proof.chain.foret_01:check",),
        tests=(f"{PAC_BAYES}::test_statements_of_the_chain",),
        uses=("dv", "maurer-mgf", "markov", "log-tangent", "taylor", "fubini", "integral"),
    ),
    Entry(
        "scope",
        "remark",
        "What the theorem does not cover",
        r"\text{cross entropy, adaptive balls, batch norm in train mode, overlays, a tuned } \rho",
        "Cross entropy and absolute error have no bound L. The adaptive ball is not the theorem's. L_S is no mean of "
        "independent losses under batch norm in train mode or when samples share images. A choice by test error is "
        "biased.",
        checks=("theory.proof.chain.scope:check", "theory.proof.chain.scope_samples:check"),
        tests=(f"{PAC_BAYES}::test_statements_of_the_chain",),
        uses=("log-tangent",),
    ),
    Entry(
        "theorem-1-single",
        "theorem",
        "Theorem 1 for one task",
        r"L_D(\theta) \le (1 - \tfrac{1}{\sqrt N}) \sup_{\|\varepsilon\| \le \rho} L_S(\theta + \varepsilon) + "
        r"\tfrac{1}{\sqrt N} \{ L + \tfrac12 + \tfrac T2 \log[1 + \tfrac{\|\theta\|^2}{\rho^2} "
        r"(1 + \sqrt{\log N / T})^2] + \log\tfrac1\delta + 6 \log(N + T) + \tfrac{L^2}{8} \}",
        "With probability at least 1 - delta, for every theta that satisfies gauss-assumption; losses in [0, L], "
        "jointly measurable in sample and theta; sigma and rho are linked as in radius.",
        paper="Theorem 1 (one task, reconstructed)",
        checks=("theory.proof.chain.theorem_1_single:check",),
        tests=(f"{PAC_BAYES}::test_statements_of_the_chain",),
        uses=(
            "dv",
            "hoeffding-mgf",
            "alquier",
            "beta-sqrt-n",
            "gaussian-kl",
            "prior-grid",
            "grid-kl",
            "grid-union",
            "large-norm",
            "lm-tail",
            "radius",
            "tail-term",
            "gauss-assumption",
            "subadditivity",
        ),
        weaker="The published bracket lacks L: the Gaussian leaves the ball with probability up to 1/sqrt N. "
        "See salvage for when 6 log(N + T) has room for it.",
    ),
    Entry(
        "theorem-1",
        "theorem",
        "Theorem 1 as published, for m tasks",
        r"[L_D^i(\theta^i)]_i \le \max_{\|\varepsilon_{sh}\| \le \rho_{sh}} [\max_{\|\varepsilon_i\| \le \rho_{ns}} "
        r"L_S^i(\theta_{sh} + \varepsilon_{sh}, \theta_i + \varepsilon_i) + f^i(\|\theta^i\|^2)]_i",
        "With probability at least 1 - delta for all tasks together, f^i strictly increasing. Inferred from the "
        "single-task form by steps that do not hold; salvage, Theorem A and Theorem C say what can be had.",
        paper="Theorem 1",
        checks=("theory.proof.chain.theorem_1:check",),
        tests=(f"{PAC_BAYES}::test_statements_of_the_chain",),
        uses=("theorem-1-single", "induction", "vector-max", "one-sigma"),
        expected="refuted",
    ),
)

THEOREMS: tuple[Entry, ...] = ()

STEP: tuple[Entry, ...] = ()

BLUEPRINT: tuple[Entry, ...] = (*TEXTBOOK, *CHAIN, *THEOREMS, *STEP)
