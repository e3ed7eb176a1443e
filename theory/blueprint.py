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
THEOREM_CHECKS = "theory.proof.theorems"
THEOREM_TESTS = "tests/theory/test_theorems.py"
BOUNDS = "theory.bounds.main_theorem"
THEOREMS_HOLD = (f"{THEOREM_TESTS}::test_statements_that_hold",)
FORET_PROOF = "proof of Theorem 2 of Foret et al."
FORET_TESTS = "tests/theory/test_foret.py"
FORET_HOLD = f"{FORET_TESTS}::test_statements_that_hold"
FORET_REFUTED = f"{FORET_TESTS}::test_statements_that_are_refuted"
STEP_CHECKS = "theory.proof.step"
STEP_TESTS = "tests/theory/test_step.py"
HOLD = (f"{STEP_TESTS}::test_statements_that_hold",)
REFUTED = (f"{STEP_TESTS}::test_statements_that_are_refuted",)
EQUATIONS = "tests/equations/test_paper_equations.py"
STEP_LAWS = "tests/equations/test_step_laws.py"
QUADRATICS = "tests/equations/test_flat_on_quadratics.py"
TOYS = "tests/theory/test_step_toys.py"
FLAT_ORDER = "tests/theory/test_flat_order.py"
LEMMAS = (
    "tests/theory/test_laws.py::test_lemma",
    "tests/theory/test_laws.py::test_hypotheses_contradict_neither_themselves_nor_the_conclusion",
)
JOINED = "tests/laws/test_all_dimensions.py"
WEIGHTINGS = "flatmtl_core.weightings"
TASKS = "tests/theory/test_tasks_and_assumptions.py"
GAUSSIAN = "tests/theory/test_gaussian_chain.py"
GAUSSIAN_HOLD = f"{GAUSSIAN}::test_statements_that_hold"
GAUSSIAN_REFUTED = f"{GAUSSIAN}::test_statements_that_are_refuted"
WORLD = ("bounded-loss", "iid-sample", "fixed-radii")
MEASURED = (*WORLD, "gauss-assumption", "subadditivity")

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
        "fundamental-theorem",
        "textbook",
        "The fundamental theorem of calculus",
        r"\int_a^b F' = F(b) - F(a)",
        "For F' continuous on the closed interval.",
        expected="assumed",
        source="W. Rudin, Principles of Mathematical Analysis, 3rd ed. (1976), theorem 6.21",
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
    Entry(
        "second-derivatives",
        "textbook",
        "The chain rule; continuous second derivatives commute",
        r"\tfrac{d}{dt} f(x + t v) = \langle \nabla f(x + t v), v \rangle, \quad \partial_i \partial_j f = \partial_j "
        r"\partial_i f",
        "For functions on R^d that are differentiable, and twice continuously differentiable.",
        expected="assumed",
        source="W. Rudin, Principles of Mathematical Analysis, 3rd ed. (1976), theorems 9.15 and 9.41",
    ),
    Entry(
        "gramian",
        "textbook",
        "Gramians are the matrices whose principal minors are nonnegative",
        r"G = J J^\top \iff \det G_{SS} \ge 0 \text{ for all } S",
        "Of rows of some R^d, d not given.",
        expected="assumed",
        source="R. A. Horn and C. R. Johnson, Matrix Analysis, 2nd ed. (2013), theorems 7.2.5, 7.2.7 and 7.2.10",
    ),
    Entry(
        "monotone-convergence",
        "textbook",
        "Monotone convergence",
        r"0 \le f_n \uparrow f \Rightarrow \int f_n \uparrow \int f",
        "Also where the limit is infinite.",
        expected="assumed",
        source="P. Billingsley, Probability and Measure, 3rd ed. (1995), theorem 16.2",
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
        "For probability measures P, Q and every measurable f with a finite mean of e^f under P; where KL is infinite "
        "it says nothing.",
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
        "With probability at least 1 - delta for all Q at once; b > 0 and P are chosen before the sample. N iid "
        "samples, losses in an interval of length L, jointly measurable in sample and parameter.",
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
        "A valid choice. With K = KL + log(1/delta) it costs (sqrt K - L / sqrt 8)^2 / sqrt N over the best b: nothing "
        "exactly where K = L^2/8, so it is loose on both sides. The best b depends on Q and may not be chosen.",
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
        uses=("bernoulli-convexity", "stirling", "taylor", "integral", "fundamental-theorem", "monotone-convergence"),
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
        "Cross entropy and absolute error have no bound L; one minus a cosine has L = 2. The adaptive ball is not the "
        "theorem's. L_S is no mean of independent losses under batch norm in train mode or when samples share images. "
        "A choice by test error is biased.",
        checks=("theory.proof.chain.scope:check", "theory.proof.chain.scope_samples:check"),
        tests=(f"{PAC_BAYES}::test_statements_of_the_chain",),
        uses=("log-tangent", "cauchy-schwarz"),
    ),
    Entry(
        "prior-grid",
        "lemma",
        "A grid of priors has one that is close",
        r"c \ge s, \ j^* = \lfloor 1 + T \log(c/s) \rfloor, \ \sigma_P^2 = c\, e^{(1 - j^*)/T} \Rightarrow s \le "
        r"\sigma_P^2 \le e^{1/T} s",
        "For c, s, T > 0. Where c < s no prior of the grid is as wide as s.",
        paper=RECONSTRUCTED,
        checks=("theory.proof.chain.prior_grid:check",),
        tests=(GAUSSIAN_HOLD, f"{GAUSSIAN}::test_a_prior_of_the_grid_is_close_from_above"),
        uses=("log-tangent",),
    ),
    Entry(
        "grid-union",
        "lemma",
        "What the grid of priors costs",
        r"\delta_j = \tfrac{6 \delta}{\pi^2 j^2}, \ c = \sigma^2 (1 + e^{4N/T}), \ s \ge \sigma^2 \Rightarrow "
        r"\log\tfrac{1}{\delta_{j^*}} \le \log\tfrac1\delta + 6 \log(N + T)",
        "For all integers N, T >= 1. The slack is smallest at N = T = 1, where it is 0.435, and more than 1 elsewhere.",
        paper=RECONSTRUCTED,
        checks=("theory.proof.chain.grid_union:check",),
        tests=(GAUSSIAN_HOLD, f"{GAUSSIAN}::test_the_smallest_slack_of_the_grid_is_at_one_sample_and_one_parameter"),
        uses=("prior-grid", "log-tangent"),
    ),
    Entry(
        "large-norm",
        "lemma",
        "Beyond the grid the bound is trivial",
        r"\|\theta\|^2 > T \sigma^2 (e^{4N/T} - 1) \Rightarrow \tfrac{1}{\sqrt N} \{ \tfrac T2 \log(1 + "
        r"\tfrac{\|\theta\|^2}{T \sigma^2}) + \tfrac{L^2}{8} \} \ge L",
        "For every L: the difference is at least (L - 4 sqrt N)^2 / (8 sqrt N).",
        paper=RECONSTRUCTED,
        checks=("theory.proof.chain.large_norm:check",),
        tests=(GAUSSIAN_HOLD,),
        uses=("log-tangent",),
    ),
    Entry(
        "lm-tail",
        "lemma",
        "Upper tail of chi-squared",
        r"P(X > T + 2 \sqrt{T t} + 2 t) \le e^{-t}, \quad X \sim \chi^2_T",
        "For t > 0 and every positive integer T (Laurent and Massart).",
        paper=RECONSTRUCTED,
        checks=("theory.proof.chain.lm_tail:check",),
        tests=(GAUSSIAN_HOLD, f"{GAUSSIAN}::test_chi_squared_tails_and_the_radius_in_numbers"),
        uses=("markov", "taylor", "independence", "integral"),
    ),
    Entry(
        "radius",
        "lemma",
        "The Gaussian stays in the ball",
        r"\sigma \le \frac{\rho}{\sqrt T + \sqrt{\log N}} \Rightarrow P(\|\varepsilon\| > \rho) \le "
        r"\frac{1}{\sqrt N}, \quad \varepsilon \sim \mathcal{N}(0, \sigma^2 I)",
        "In R^T, for rho > 0 and N >= 1.",
        paper=RECONSTRUCTED,
        checks=("theory.proof.chain.radius:check",),
        tests=(GAUSSIAN_HOLD, f"{GAUSSIAN}::test_chi_squared_tails_and_the_radius_in_numbers"),
        uses=("lm-tail",),
    ),
    Entry(
        "tail-term",
        "lemma",
        "The Gaussian mean of the loss and its worst case",
        r"\mathbb{E}_\varepsilon L_S(\theta + \varepsilon) \le (1 - \tfrac{1}{\sqrt N}) \sup_{\|\varepsilon\| \le "
        r"\rho} L_S(\theta + \varepsilon) + \tfrac{L}{\sqrt N}",
        "For losses in [0, L] and a Gaussian that leaves the ball with probability at most 1/sqrt N.",
        paper=RECONSTRUCTED,
        checks=("theory.proof.chain.tail_term:check",),
        tests=(GAUSSIAN_HOLD,),
        uses=("radius", "integral"),
    ),
    Entry(
        "tail-dropped",
        "remark",
        "The published bracket, without L",
        r"\mathbb{E}_\varepsilon L_S(\theta + \varepsilon) \le \sup_{\|\varepsilon\| \le \rho} L_S(\theta + "
        r"\varepsilon)",
        "Refuted by a loss that is 0 in the ball and 1 outside, one parameter and N = 4: the mean is more than 0.029.",
        paper=RECONSTRUCTED,
        checks=("theory.proof.chain.tail_dropped:check",),
        tests=(GAUSSIAN_REFUTED, f"{GAUSSIAN}::test_figures_of_the_refutations"),
        expected="refuted",
    ),
    Entry(
        "one-sigma",
        "remark",
        "One Gaussian for two radii",
        r"\sigma = \frac{\sqrt{\rho_{sh}^2 + \rho_{ns}^2}}{\sqrt{k_{sh} + k_i} + \sqrt{\log N}} \Rightarrow "
        r"P(\|\varepsilon_{sh}\| \le \rho_{sh}, \|\varepsilon_i\| \le \rho_{ns}) \ge 1 - \frac{1}{\sqrt N}",
        "Refuted with one parameter in each block: radii 1 and 1/10 at N = 4, equal radii at N = 10^8.",
        paper="Theorem 1 (two radii, reconstructed)",
        checks=("theory.proof.chain.one_sigma:check",),
        tests=(GAUSSIAN_REFUTED, f"{GAUSSIAN}::test_figures_of_the_refutations"),
        expected="refuted",
        uses=("independence",),
    ),
    Entry(
        "one-sigma-remedy",
        "lemma",
        "One Gaussian for two radii, narrow enough",
        r"\sigma = \min_b \frac{\rho_b}{\sqrt{k_b} + \sqrt{\log 4N}} \Rightarrow P(\|\varepsilon_{sh}\| > \rho_{sh} "
        r"\text{ or } \|\varepsilon_i\| > \rho_{ns}) \le \frac{1}{\sqrt N}",
        "The smaller deviation for both blocks makes the divergence larger; Theorem B has two deviations.",
        checks=("theory.proof.chain.one_sigma_remedy:check",),
        tests=(GAUSSIAN_HOLD,),
        uses=("block-radius",),
    ),
    Entry(
        "salvage",
        "theorem",
        "When the published number is right for m tasks",
        r"L + \log m \le 4 \log(N + T) - 2 \log 6 \Rightarrow L_D^i(\theta^i) \le \sup_{\|\varepsilon\| \le \rho} "
        r"L_S^i(\theta^i + \varepsilon) + \tfrac{1}{\sqrt N} \{ \tfrac12 + \tfrac T2 \log[1 + "
        r"\tfrac{\|\theta^i\|^2}{\rho^2} (1 + \sqrt{\log N / T})^2] + \log\tfrac1\delta + 6 \log(N + T) + "
        r"\tfrac{L^2}{8} \}",
        "With probability at least 1 - delta for all i, and all theta that satisfy gauss-assumption: 6 log(N + T) "
        "prices the grid so generously that log m and L fit in. At N = 120,000 and m = 2 every L <= 42 will do.",
        paper="Theorem 1",
        checks=("theory.proof.chain.salvage:check",),
        tests=(GAUSSIAN_HOLD, f"{GAUSSIAN}::test_what_the_published_number_has_room_for"),
        uses=(
            "beta-sqrt-n",
            "prior-grid",
            "grid-kl",
            "grid-union",
            "large-norm",
            "tail-term",
            "theorem-1-single",
            "union-over-tasks",
            "gauss-assumption",
        ),
        weaker="One ball and one radius for all of a task's parameters, the maximum coordinate by coordinate, and a "
        "condition on L, m, N and T.",
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
        code=(f"{BOUNDS}:theorem_1_corrected",),
        tests=(f"{PAC_BAYES}::test_statements_of_the_chain",),
        uses=(
            *WORLD,
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
        "Theorem 1 as derived, for m tasks",
        r"[L_D^i(\theta^i)]_i \le \max_{\|\varepsilon_{sh}\| \le \rho_{sh}} [\max_{\|\varepsilon_i\| \le \rho_{ns}} "
        r"L_S^i(\theta_{sh} + \varepsilon_{sh}, \theta_i + \varepsilon_i) + f^i(\|\theta^i\|^2)]_i",
        "With probability at least 1 - delta for all tasks together, f^i strictly increasing. Refuted is its "
        "derivation from the single-task form: by steps that do not hold. That the inequality is false for the "
        "published f^i is not claimed; salvage, Theorem A and Theorem C say what can be had.",
        paper="Theorem 1",
        checks=("theory.proof.chain.theorem_1:check",),
        code=(f"{BOUNDS}:theorem_1",),
        tests=(f"{PAC_BAYES}::test_statements_of_the_chain",),
        uses=("theorem-1-single", "induction", "vector-max", "one-sigma", "taylor"),
        expected="refuted",
    ),
    Entry(
        "bounded-loss",
        "premise",
        "Losses are measurable and bounded",
        r"0 \le \ell^i(\theta; z) \le L",
        "Of every task, jointly measurable in parameters and data; for Theorems A, A' and C measurable in the data at "
        "each parameter will do. Cross entropy and L1 are not bounded; a clipped loss, or one minus a cosine, is.",
        paper="Theorem 1",
        tests=(f"{TASKS}::test_premises_are_assumed_with_their_source",),
        expected="assumed",
        source="Theorem 1: bounded loss",
    ),
    Entry(
        "iid-sample",
        "premise",
        "Samples are independent and identically distributed",
        r"S = (z_1, \dots, z_N) \sim D^N",
        "Within each task; the tasks may depend on one another. L_S is the mean of the losses at one fixed theta. With "
        "probability at least 1 - delta means: for all samples outside a measurable set of probability at most delta.",
        paper="Theorem 1",
        tests=(f"{TASKS}::test_premises_are_assumed_with_their_source",),
        expected="assumed",
        source="Theorem 1: the sample S",
    ),
    Entry(
        "fixed-radii",
        "premise",
        "Radii and priors are chosen before the sample is seen",
        r"\rho_{sh}, \rho_{ns}, \sigma, b, P, w \perp S",
        "So are deviations, inverse temperature, priors and weights of tasks. A choice among K settings after it "
        "costs log K.",
        paper="Theorem 1",
        tests=(f"{TASKS}::test_premises_are_assumed_with_their_source",),
        expected="assumed",
        source="Theorem 1: rho_sh, rho_ns > 0 are given",
    ),
    Entry(
        "gauss-assumption",
        "premise",
        "Gaussian noise does not lower the population loss",
        r"L_D(\theta) \le \mathbb{E}_{\varepsilon \sim \mathcal{N}(0, \sigma^2 I)} L_D(\theta + \varepsilon)",
        "At the theta that is returned. Where tr Hess L_D > 0 it holds, and where tr Hess L_D < 0 it fails, for all "
        "small sigma (gauss-small-variance); at a given sigma neither follows (gauss-sign). It fails at a global "
        "maximum (gauss-maximum), and can at what training returns (gauss-concave). theorem-a and theorem-c do without "
        "it.",
        paper=RECONSTRUCTED,
        tests=(f"{TASKS}::test_premises_are_assumed_with_their_source",),
        expected="assumed",
        source="P. Foret et al., Sharpness-aware minimization (ICLR 2021), theorem 2 (appendix); here: Theorem 1",
    ),
    Entry(
        "gauss-semigroup",
        "lemma",
        "Gaussian steps add their variances",
        r"\varphi_s * \varphi_t = \varphi_{s+t}, \ \mathbb{E}\, e^{-(x + \varepsilon)^2 / (2t)} = "
        r"\sqrt{t / (t + v)}\, e^{-x^2 / (2(t + v))}",
        "In one coordinate, eps of variance v; in several the densities are products.",
        checks=("theory.proof.chain.gauss_semigroup:check",),
        tests=(f"{TASKS}::test_statements_that_hold",),
        uses=("integral",),
    ),
    Entry(
        "gauss-cosine",
        "lemma",
        "The Gaussian mean of a cosine",
        r"\mathbb{E} \cos(k(x + \varepsilon)) = e^{-k^2 v / 2} \cos(k x), \quad W(x) = \tfrac12 - \tfrac14 \cos x + "
        r"\tfrac18 \cos 2x",
        "eps of variance v. W has values in [1/8, 7/8], W''(0) = -1/4 and E W(eps) - W(0) = (1 - e^{-v/2})/4 - "
        "(1 - e^{-2v})/8.",
        checks=("theory.proof.chain.gauss_cosine:check",),
        tests=(f"{TASKS}::test_statements_that_hold", f"{TASKS}::test_the_gaussian_mean_of_two_cosines_in_numbers"),
        uses=("integral",),
    ),
    Entry(
        "gauss-sign",
        "remark",
        "At every variance the sign of the trace decides the Gaussian assumption",
        r"L_D(\theta) \le \mathbb{E} L_D(\theta + \varepsilon) \iff \operatorname{tr} \nabla^2 L_D(\theta) \ge 0",
        "Refuted in both directions, for one parameter and v = 4: W of gauss-cosine satisfies the assumption at 0 by "
        "more than 0.091, though W''(0) < 0, and 1 - W violates it by as much, though its second derivative is "
        "positive.",
        paper=RECONSTRUCTED,
        checks=("theory.proof.chain.gauss_sign:check",),
        tests=(
            f"{TASKS}::test_statements_that_are_refuted",
            f"{TASKS}::test_the_gaussian_mean_of_two_cosines_in_numbers",
        ),
        uses=("gauss-cosine",),
        expected="refuted",
    ),
    Entry(
        "gauss-small-variance",
        "lemma",
        "For all small variances the sign of the trace decides",
        r"\operatorname{tr} \nabla^2 L_D(\theta) > 0 \Rightarrow \exists v_0 > 0 \ \forall v < v_0: \ L_D(\theta) < "
        r"\mathbb{E} L_D(\theta + \varepsilon), \quad < 0 \Rightarrow\ >",
        "For L_D with values in [0, 1], twice continuously differentiable near theta; one variance v for all "
        "coordinates. At trace 0 nothing follows.",
        paper=RECONSTRUCTED,
        checks=("theory.proof.chain.gauss_small_variance:check",),
        tests=(f"{TASKS}::test_statements_that_hold",),
        uses=("taylor", "second-derivatives", "cauchy-schwarz", "integral", "independence"),
    ),
    Entry(
        "gauss-maximum",
        "lemma",
        "At a global maximum the Gaussian assumption fails",
        r"L_D(\theta) = \max L_D \Rightarrow L_D(\theta) > \mathbb{E} L_D(\theta + \varepsilon) \ \text{for all } "
        r"\sigma > 0",
        "For every continuous L_D that is not constant.",
        paper=RECONSTRUCTED,
        checks=("theory.proof.chain.gauss_maximum:check",),
        tests=(f"{TASKS}::test_statements_that_hold",),
        uses=("integral", "volume"),
    ),
    Entry(
        "gauss-second-order",
        "remark",
        "The Gaussian assumption to second order",
        r"\mathbb{E}\, q(\theta + \varepsilon) - q(\theta) = \tfrac12 \sum_j v_j q_{jj}, \quad = \tfrac v2 "
        r"\Delta q + \tfrac{v^2}{8} \Delta^2 q",
        "The first for quadratics, where the assumption says tr Hess >= 0, weighted by block variances; the second "
        "up to degree 4. What it says of a bounded loss: gauss-small-variance and gauss-sign.",
        paper=RECONSTRUCTED,
        checks=("theory.proof.chain.gauss_second_order:check",),
        tests=(f"{TASKS}::test_statements_that_hold",),
        uses=(
            "integral",
            "independence",
        ),
    ),
    Entry(
        "gauss-concave",
        "remark",
        "The Gaussian assumption always holds, if only where L_S is least",
        r"L_D(\theta) \le \mathbb{E} L_D(\theta + \varepsilon) \ \text{for every smooth loss in } [0, 1]",
        "False at the maximum of a bump; and at the only minimiser of L_S, with probability 5/32 in the witness: three "
        "samples of a loss that is smooth, one parameter, v = 3.",
        paper=RECONSTRUCTED,
        checks=("theory.proof.chain.gauss_concave:check",),
        tests=(f"{TASKS}::test_statements_that_are_refuted",),
        uses=("gauss-semigroup", "gauss-maximum"),
        expected="refuted",
    ),
    Entry(
        "gauss-low-dimension",
        "remark",
        "For one or two parameters, the assumption at every theta leaves constants",
        r"T \le 2, \ 0 \le L_D \le 1, \ L_D \le L_D * \varphi_v \text{ everywhere} \Rightarrow L_D = "
        r"\text{const a.e.}",
        "For one variance v > 0 already.",
        paper=RECONSTRUCTED,
        checks=("theory.proof.chain.gauss_low_dimension:check",),
        tests=(
            f"{TASKS}::test_statements_that_hold",
            f"{TASKS}::test_shifted_gaussians_in_numbers",
        ),
        uses=(
            "gauss-semigroup",
            "integral",
            "fubini",
            "monotone-convergence",
        ),
    ),
    Entry(
        "gauss-high-dimension",
        "remark",
        "For three parameters or more it does not",
        r"T \ge 3: \ L_D(\theta) = 1 - \mathbb{E}_t e^{-r^2 / (2t)} < \mathbb{E} L_D(\theta + \varepsilon) \ "
        r"\text{for all } \theta, \sigma",
        "t >= 1 has the density t^{-3/2} / 2, and r is the norm of three coordinates: a population loss in [0, 1[, "
        "not constant.",
        paper=RECONSTRUCTED,
        checks=("theory.proof.chain.gauss_high_dimension:check",),
        tests=(
            f"{TASKS}::test_statements_that_hold",
            f"{TASKS}::test_three_dimensions_in_numbers",
        ),
        uses=(
            "gauss-semigroup",
            "log-tangent",
            "taylor",
            "integral",
            "fubini",
            "fundamental-theorem",
            "monotone-convergence",
        ),
    ),
    Entry(
        "induction",
        "remark",
        "Level 1 - delta for each task, so for all tasks",
        r"P(A_i) \ge 1 - \delta \ (i = 1..m) \Rightarrow P(A_1 \cap \dots \cap A_m) \ge 1 - \delta",
        "The inference of the published proof. Refuted by coins, and by events of the theorem's own form for two "
        "tasks on the line.",
        paper=f"{RECONSTRUCTED}: by induction",
        checks=("theory.proof.chain.induction:check",),
        tests=(
            f"{TASKS}::test_statements_that_are_refuted",
            f"{TASKS}::test_joint_coverage_of_the_theorems_events",
        ),
        expected="refuted",
    ),
    Entry(
        "joint-coverage",
        "lemma",
        "What m statements at level 1 - delta give",
        r"(1 - \delta)^m < 1 - \delta \ (m \ge 2), \quad \min P(\textstyle\bigcap_i A_i) = \max(0, 1 - m "
        r"\delta)",
        "For 0 < delta < 1. If independent, the first; the minimum over all dependences is attained. For 40 tasks and "
        "delta = 0.05: 0.128 and 0.",
        checks=("theory.proof.chain.joint_coverage:check",),
        tests=(
            f"{TASKS}::test_statements_that_hold",
            f"{TASKS}::test_forty_tasks_and_arcs_in_numbers",
        ),
        uses=("subadditivity", "independence", "volume"),
    ),
    Entry(
        "union-over-tasks",
        "lemma",
        "Union bound over the tasks",
        r"P(A_i) \ge 1 - \delta / m \Rightarrow P(A_1 \cap \dots \cap A_m) \ge 1 - \delta, \quad "
        r"\log\tfrac1\delta \to \log\tfrac m\delta",
        "For every dependence between the tasks.",
        checks=("theory.proof.chain.union_over_tasks:check",),
        tests=(f"{TASKS}::test_statements_that_hold",),
        uses=("subadditivity",),
    ),
    Entry(
        "vector-max",
        "remark",
        "One perturbation attains every task's maximum",
        r"\exists \varepsilon_{sh}\ \forall i: \ L^i(\theta + \varepsilon_{sh}) = \max_{\|\varepsilon\| "
        r"\le \rho} L^i(\theta + \varepsilon)",
        "Refuted by two linear losses on the line, whose maxima are not even approached together. What one "
        "perturbation can do is dominate every L_D^i up to the slack of theorem-c.",
        paper="eq. 2, Theorem 1",
        checks=("theory.proof.chain.vector_max:check",),
        tests=(f"{TASKS}::test_statements_that_are_refuted",),
        expected="refuted",
    ),
    Entry(
        "coordinate-wise",
        "lemma",
        "The maximum of a vector, coordinate by coordinate",
        r"L_D^i \le S_i + f^i \ (i = 1..m) \Rightarrow \sum_i w_i L_D^i \le \sum_i w_i (S_i + f^i), \ w \ge 0",
        "S_i is the task's own supremum over the ball, with its own perturbation.",
        paper="Theorem 1, read coordinate by coordinate",
        checks=("theory.proof.chain.coordinate_wise:check",),
        tests=(f"{TASKS}::test_statements_that_hold",),
    ),
    Entry(
        "coordinate-not-scalar",
        "remark",
        "The coordinate-wise bound gives the weighted one with a common perturbation",
        r"L_D^i \le \sup_\varepsilon L^i \ \forall i \Rightarrow \sum_i w_i L_D^i \le \sup_\varepsilon "
        r"\sum_i w_i L^i",
        "Refuted by two linear losses of opposite slopes: Theorem A' does not follow from Theorem A.",
        checks=("theory.proof.chain.coordinate_not_scalar:check",),
        tests=(f"{TASKS}::test_statements_that_are_refuted",),
        expected="refuted",
    ),
    Entry(
        "sup-of-sum",
        "lemma",
        "The supremum of a weighted sum is at most the sum of the suprema",
        r"\sup_\varepsilon \sum_i w_i L^i(\varepsilon) \le \sum_i w_i \sup_\varepsilon L^i(\varepsilon), \ "
        r"w \ge 0",
        "Equality at a common maximiser; 0 < 1 for two opposite slopes.",
        paper="eq. 8, eq. 9, eq. 10",
        checks=("theory.proof.chain.sup_of_sum:check",),
        tests=(f"{TASKS}::test_statements_that_hold",),
    ),
    Entry(
        "common-vs-per-task",
        "lemma",
        "A common shared perturbation against one for each task",
        r"\text{eq. 9} \le \text{eq. 10}, \quad \rho \|\textstyle\sum_i w_i g_i\| \le \rho \sum_i w_i "
        r"\|g_i\|",
        "Coordinate by coordinate and under weights. For two linearised losses and positive weights equality holds "
        "exactly for gradients of the same direction, or where one is zero; not for opposite ones.",
        paper="eq. 9, eq. 10",
        checks=("theory.proof.chain.common_vs_per_task:check",),
        tests=(f"{TASKS}::test_statements_that_hold",),
        uses=("sup-of-sum",),
    ),
    Entry(
        "vacuous-at-size",
        "remark",
        "At the size of ResNet-18 every version exceeds the largest loss",
        r"k_{sh} \ge 11{,}223{,}560, \ N \le 200{,}000: \quad k_{sh} \log 5 > 2N, \quad \tfrac{k_{sh}}{2} \log(1 + "
        r"r^2) > 2N \ (r \ge \tfrac13), \quad > \sqrt N \ (r \ge \tfrac1{100})",
        "The first: Theorems A, A' and C, whatever the norms. The second: Theorem B under the root, r = ||theta_sh|| / "
        "rho_sh. The third: the published number and Theorem B, for losses in [0, 1].",
        checks=("theory.proof.chain.vacuous_at_size:check",),
        tests=(f"{TASKS}::test_no_bound_says_anything_at_the_size_of_resnet_18",),
    ),
    Entry(
        "drop-bounded-loss",
        "remark",
        "The loss need not be bounded",
        r"P(\forall \theta: L_D \le \max L_S + c) \ge 1 - \delta \ \text{for all } \ell \ge 0",
        "A slack c that suffices for all losses in [0, 1]. Refuted for c = 1 by a loss with values 0 and 8, four "
        "samples and delta = 1/20; for any other c by one with values 0 and 4 (c + 1).",
        paper="Theorem 1",
        checks=("theory.proof.chain.drop_bounded_loss:check",),
        tests=(f"{TASKS}::test_statements_that_are_refuted",),
        expected="refuted",
    ),
    Entry(
        "drop-iid",
        "remark",
        "The samples need not be independent",
        r"P(\forall \theta: L_D \le \max L_S + f) \ge 1 - \delta \ \text{for all laws of } S \text{ with "
        r"the same marginals}",
        "Refuted by one sample, four times: coverage 1/2 in place of 15/16.",
        paper="Theorem 1",
        checks=("theory.proof.chain.drop_iid:check",),
        tests=(f"{TASKS}::test_statements_that_are_refuted",),
        expected="refuted",
    ),
    Entry(
        "drop-fixed-radii",
        "remark",
        "The radius may be chosen after the sample is seen",
        r"P(A_\rho) \ge 1 - \delta \ \forall \rho \Rightarrow P(A_{\hat\rho(S)}) \ge 1 - \delta",
        "Refuted by two radii at level 3/4 each: the chosen one has 1/2.",
        paper="Theorem 1",
        checks=("theory.proof.chain.drop_fixed_radii:check",),
        tests=(
            f"{TASKS}::test_statements_that_are_refuted",
            f"{TASKS}::test_radii_fail_where_they_should",
        ),
        expected="refuted",
    ),
    Entry(
        "clipped-loss",
        "lemma",
        "What a bound for a clipped loss says",
        r"0 \le \min(\ell, c) \le c, \quad \mathbb{1}[\text{wrong}] \le \min(\ell, c) / \log 2 \ (\ell "
        r"= -\log p_y, \ c \ge \log 2)",
        "It bounds the error rate, and the mean of the loss only up to the mean of what was clipped.",
        checks=("theory.proof.chain.clipped_loss:check",),
        tests=(f"{TASKS}::test_statements_that_hold",),
        uses=("integral",),
    ),
)

THEOREMS: tuple[Entry, ...] = (
    Entry(
        "a1",
        "lemma",
        "A1: cells of diameter rho",
        r"B_R \subset \textstyle\bigcup_{j \le K} \text{cell}_j, \ K \le (1 + 4R/\rho)^k, \ \operatorname{diam} \le "
        r"\rho",
        "By a largest set of centres at mutual distances of at least rho/2.",
        checks=(f"{THEOREM_CHECKS}.a1:check",),
        tests=(*THEOREMS_HOLD, f"{THEOREM_TESTS}::test_a_greedy_net_has_no_more_cells_than_a1_allows"),
        uses=("volume",),
    ),
    Entry(
        "a2",
        "lemma",
        "A2: the number of cells by the norm",
        r"r \le 2^{a(r)}, \ 1 + 4 \cdot 2^{a(r)} \le 5 + 8r, \quad a(r) = \max(0, \lceil \log_2 r \rceil), \ a(0) = 0",
        "For every r = ||theta||/rho >= 0.",
        checks=(f"{THEOREM_CHECKS}.a2:check",),
        tests=(*THEOREMS_HOLD, f"{THEOREM_TESTS}::test_the_dyadic_index"),
    ),
    Entry(
        "a3",
        "lemma",
        "A3: a point for each cell",
        r"\exists \theta_C \in C: \ L_D(\theta_C) \ge \sup_C L_D - \eta \quad (\eta > 0)",
        "Chosen before the sample; nothing is asked of L_D but that it is bounded. With eta = 0 there may be none.",
        checks=(f"{THEOREM_CHECKS}.a3:check",),
        tests=THEOREMS_HOLD,
    ),
    Entry(
        "a4",
        "lemma",
        "A4: Hoeffding's inequality at one point",
        r"P(L_D(\theta_C) > L_S(\theta_C) + L \sqrt{\log(1/\delta_C) / (2N)}) \le \delta_C",
        "For 0 < delta_C < 1 and a point fixed before the sample.",
        checks=(f"{THEOREM_CHECKS}.a4:check",),
        tests=THEOREMS_HOLD,
        uses=("hoeffding-mgf", "markov"),
    ),
    Entry(
        "a5",
        "lemma",
        "A5: the levels sum to delta",
        r"\textstyle\sum_{i, a, b, C} \delta_C = \delta, \ \log(1/\delta_C) \le C_i, \quad \delta_C = "
        r"\tfrac{\delta}{m} (\tfrac{6}{\pi^2})^2 (a + 1)^{-2} (b + 1)^{-2} / (K_{sh}(a) K_i(b))",
        "Over both grids a, b >= 0, all product cells and all tasks; C_i is exactly what comes out.",
        checks=(f"{THEOREM_CHECKS}.a5:check",),
        tests=THEOREMS_HOLD,
        uses=("a1", "a2"),
    ),
    Entry(
        "a6",
        "lemma",
        "A6: from a point to its cell",
        r"L_D(\theta) \le \sup_{\|\varepsilon_{sh}\| \le \rho_{sh}, \|\varepsilon_i\| \le \rho_{ns}} L_S(\theta + "
        r"\varepsilon) + \text{dev} + \eta \quad (\theta \in C)",
        "Where Hoeffding's inequality holds at theta_C: it lies within both radii of every theta of its product cell.",
        checks=(f"{THEOREM_CHECKS}.a6:check",),
        tests=THEOREMS_HOLD,
        uses=("a1", "a3", "a4"),
    ),
    Entry(
        "a7",
        "lemma",
        "A7: without eta, and without measurability of the supremum",
        r"V \subset \liminf_n H_n, \quad P(\liminf_n H_n) \le \delta",
        "V: the samples outside the claim; H_n: Hoeffding's inequality fails in some cell, points chosen for eta = "
        "1/n.",
        checks=(f"{THEOREM_CHECKS}.a7:check",),
        tests=THEOREMS_HOLD,
        uses=("a5", "a6", "subadditivity", "fatou"),
    ),
    Entry(
        "theorem-a",
        "theorem",
        "Theorem A: every task, no Gaussian assumption",
        r"L_D^i \le \sup_{\|\varepsilon_{sh}\| \le \rho_{sh}, \|\varepsilon_i\| \le \rho_{ns}} L_S^i(\theta_{sh} + "
        r"\varepsilon_{sh}, \theta_i + \varepsilon_i) + L \sqrt{C_i / (2N)}, \ C_i = k_{sh} \log(5 + 8 "
        r"\tfrac{\|\theta_{sh}\|}{\rho_{sh}}) + k_i \log(5 + 8 \tfrac{\|\theta_i\|}{\rho_{ns}}) + \log\tfrac m\delta + "
        r"2 \log[(1 + a)(1 + b)] + 2 \log\tfrac{\pi^2}{6}",
        "With probability at least 1 - delta, for all tasks and all theta at once; losses in [0, L], N iid samples a "
        "task, radii fixed before; tasks may depend on one another. a = a(||theta_sh||/rho_sh), b = "
        "a(||theta_i||/rho_ns).",
        checks=(f"{THEOREM_CHECKS}.theorem_a:check",),
        code=(f"{BOUNDS}:theorem_a",),
        tests=(*THEOREMS_HOLD, f"{THEOREM_TESTS}::test_sizes"),
        uses=(*WORLD, "a1", "a2", "a3", "a4", "a5", "a6", "a7"),
        weaker="Each task has its own perturbation, and C_i grows with the norms of both blocks, not of theta^i alone; "
        "it is no more than with ||theta^i|| for both.",
    ),
    Entry(
        "theorem-a-4n",
        "remark",
        "Theorem A with 4N in place of 2N",
        r"L_D^i \le \sup L_S^i + L \sqrt{C_i / (4N)}",
        "Refuted for k_sh = k_i = m = 1, N = 128, delta = 1/2, by 2^28 intervals with fair bits.",
        checks=(f"{THEOREM_CHECKS}.theorem_a_4n:check",),
        tests=(f"{THEOREM_TESTS}::test_the_statement_that_is_refuted",),
        uses=("theorem-d",),
        expected="refuted",
    ),
    Entry(
        "joint-cells",
        "lemma",
        "Cells of all blocks together",
        r"\textstyle\sum_C \delta_C = \delta, \ \log\tfrac1{\delta_C} \le C_w, \quad \delta_C = \delta "
        r"(\tfrac{6}{\pi^2})^{m+1} \prod_j (a_j + 1)^{-2} / K_j(a_j)",
        "By induction over the m + 1 blocks; no factor m, since one inequality is claimed.",
        checks=(f"{THEOREM_CHECKS}.joint_cells:check",),
        tests=THEOREMS_HOLD,
        uses=("a1", "a2"),
    ),
    Entry(
        "mixture-mgf",
        "lemma",
        "Hoeffding's lemma for a weighted sum of tasks",
        r"\mathbb{E}\, e^{b \sum_i w_i (L_D^i - L_S^i)} \le e^{b^2 L^2 / (8N)}, \ w \ge 0, \ \textstyle\sum_i w_i = 1",
        "For tasks that depend on one another in any way, also across samples: the exponential is convex.",
        checks=(f"{THEOREM_CHECKS}.mixture_mgf:check",),
        tests=THEOREMS_HOLD,
        uses=("hoeffding-mgf", "log-tangent", "integral"),
    ),
    Entry(
        "theorem-a-prime",
        "theorem",
        "Theorem A': one shared perturbation, fixed weights",
        r"\textstyle\sum_i w_i L_D^i \le \sup_{\|\varepsilon_{sh}\| \le \rho_{sh}} \sum_i w_i \sup_{\|\varepsilon_i\| "
        r"\le \rho_{ns}} L_S^i(\theta_{sh} + \varepsilon_{sh}, \theta_i + \varepsilon_i) + L \sqrt{C_w / (2N)}, \ C_w "
        r"= k_{sh} \log(5 + 8 \tfrac{\|\theta_{sh}\|}{\rho_{sh}}) + \sum_i k_i \log(5 + 8 "
        r"\tfrac{\|\theta_i\|}{\rho_{ns}}) + \log\tfrac1\delta + 2 \log \prod_j (1 + a_j) + (m + 1) "
        r"\log\tfrac{\pi^2}{6}",
        "With probability at least 1 - delta, for all theta at once, w fixed before the sample. The supremum is at "
        "most that of eq. 10; C_w is at least each C_i if all heads have parameters, and C_1 for m = 1.",
        checks=(f"{THEOREM_CHECKS}.theorem_a_prime:check",),
        code=(f"{BOUNDS}:theorem_a_prime",),
        tests=(*THEOREMS_HOLD, f"{THEOREM_TESTS}::test_sizes"),
        uses=(*WORLD, "a1", "a2", "a3", "a4", "a6", "a7", "joint-cells", "mixture-mgf", "sup-of-sum"),
        weaker="A weighted sum in place of all tasks at once, and a complexity with the norms of all heads.",
    ),
    Entry(
        "floor-pieces",
        "lemma",
        "Pieces on which m functions hardly vary",
        r"q(v) = \min(n - 1, \lfloor n v / L \rfloor): \ q \le n v / L \le q + 1",
        "At most n^m pieces, on each of which functions with values in [0, L] vary by at most L/n. The floors alone "
        "make up to (n + 1)^m.",
        checks=(f"{THEOREM_CHECKS}.floor_pieces:check",),
        tests=(*THEOREMS_HOLD, f"{THEOREM_TESTS}::test_pieces_in_numbers"),
    ),
    Entry(
        "theorem-c",
        "theorem",
        "Theorem C: one perturbation for all tasks",
        r"\forall \theta \ \exists \varepsilon \ \forall i: \ L_D^i(\theta^i) \le L_S^i(\theta_{sh} + "
        r"\varepsilon_{sh}, \theta_i + \varepsilon_i) + L \sqrt{C_{vec} / (2N)} + L/n, \ C_{vec} = C_w + m \log n + "
        r"\log m",
        "With probability at least 1 - delta, for an integer n >= 1 fixed before the sample. It gives Theorem A' for "
        "all weights, also chosen after the sample, with C_vec in place of C_w and L/n added. C_vec >= C_i, C_w.",
        checks=(f"{THEOREM_CHECKS}.theorem_c:check",),
        code=(f"{BOUNDS}:theorem_c",),
        tests=(*THEOREMS_HOLD, f"{THEOREM_TESTS}::test_sizes"),
        uses=(*WORLD, "a4", "joint-cells", "floor-pieces", "subadditivity"),
        weaker="C_vec grows with the norms of all heads, not with ||theta^i|| alone; and eps dominates up to L/n.",
    ),
    Entry(
        "disjoint-boxes",
        "lemma",
        "Disjoint boxes in a product of balls",
        r"M \ge (R_{sh} / 2\rho_{sh})^{k_{sh}} (R_i / 2\rho_{ns})^{k_i}",
        "Boxes of the radii whose centres have norms at most R_sh and R_i.",
        checks=(f"{THEOREM_CHECKS}.disjoint_boxes:check",),
        tests=THEOREMS_HOLD,
        uses=("a1", "volume", "subadditivity"),
    ),
    Entry(
        "binomial-term",
        "lemma",
        "A binomial probability from below",
        r"P(\mathrm{Bin}(N, \tfrac12) = s) \ge e^{-N \mathrm{kl}(s/N \| 1/2)} / (N + 1)",
        "For integers 0 <= s <= N: s is a mode of Bin(N, s/N).",
        checks=(f"{THEOREM_CHECKS}.binomial_term:check",),
        tests=(*THEOREMS_HOLD, f"{THEOREM_TESTS}::test_lower_bounds_of_binomial_tails"),
    ),
    Entry(
        "kl-half",
        "lemma",
        "Divergence from a fair coin, from above",
        r"\mathrm{kl}(\tfrac12 - t \| \tfrac12) \le 2 t^2 + (16 \log 2 - 8)\, t^4 \quad (0 \le t \le \tfrac12)",
        "With equality at both ends.",
        checks=(f"{THEOREM_CHECKS}.kl_half:check",),
        tests=(*THEOREMS_HOLD, f"{THEOREM_TESTS}::test_lower_bounds_of_binomial_tails"),
        uses=("log-tangent", "taylor"),
    ),
    Entry(
        "theorem-d",
        "theorem",
        "Theorem D: the price is real",
        r"N [2 t^2 + (16 \log 2 - 8)\, t^4] + \log(N + 1) \le k_{sh} \log\tfrac{R_{sh}}{2 \rho_{sh}} + k_i "
        r"\log\tfrac{R_i}{2 \rho_{ns}} \Rightarrow P(\exists \theta: L_D \ge \sup L_S + L t) \ge \tfrac12",
        "For some losses in [0, L], some distribution with constant L_D, ||theta_sh|| <= R_sh, ||theta_i|| <= R_i and "
        "t = 1/2 - s/N, s an integer. So in any bound sup L_S + L sqrt(C/(2N)) at a level delta < 1/2, C >= 2 N t^2 "
        "somewhere.",
        checks=(f"{THEOREM_CHECKS}.theorem_d:check",),
        tests=(*THEOREMS_HOLD, f"{THEOREM_TESTS}::test_theorem_d_beside_theorem_a"),
        uses=("disjoint-boxes", "binomial-term", "kl-half", "independence"),
    ),
    Entry(
        "coverage-a",
        "remark",
        "Theorem A, simulated",
        r"P(\exists i, \theta: L_D^i > \sup L_S^i + L \sqrt{C_i / (2N)}) \le \delta",
        "Boxes with fair bits as losses, N = 50, 500, 5000, theta chosen after the sample. It survives C/2, but not "
        "C/4.",
        checks=(f"{THEOREM_CHECKS}.coverage:check_a",),
        tests=(f"{THEOREM_TESTS}::test_simulated_coverage", f"{THEOREM_TESTS}::test_violations_by_brute_force"),
    ),
    Entry(
        "coverage-a-prime",
        "remark",
        "Theorem A', simulated",
        r"P(\exists \theta: \textstyle\sum_i w_i L_D^i > \sup \sum_i w_i \sup L_S^i + L \sqrt{C_w / (2N)}) \le \delta",
        "Boxes with fair bits as losses, N = 50, 500, 5000, theta chosen after the sample. It survives C/4, but not "
        "C/8.",
        checks=(f"{THEOREM_CHECKS}.coverage:check_a_prime",),
        tests=(f"{THEOREM_TESTS}::test_simulated_coverage", f"{THEOREM_TESTS}::test_violations_by_brute_force"),
    ),
    Entry(
        "coverage-c",
        "remark",
        "Theorem C, simulated",
        r"P(\exists \theta \ \forall \varepsilon \ \exists i: L_D^i > L_S^i + L \sqrt{C_{vec} / (2N)} + L/n) \le "
        r"\delta",
        "Boxes with fair bits as losses, N = 50, 500, 5000, theta chosen after the sample. It survives C/4, but not "
        "C/8.",
        checks=(f"{THEOREM_CHECKS}.coverage:check_c",),
        tests=(f"{THEOREM_TESTS}::test_simulated_coverage", f"{THEOREM_TESTS}::test_violations_by_brute_force"),
    ),
    Entry(
        "block-radius",
        "lemma",
        "Two Gaussian blocks stay in two balls",
        r"\sigma_b \le \frac{\rho_b}{\sqrt{k_b} + \sqrt{\log 4N}} \Rightarrow P(\|\varepsilon_{sh}\| > \rho_{sh} "
        r"\text{ or } \|\varepsilon_i\| > \rho_{ns}) \le \frac{1}{\sqrt N}",
        "Each block leaves its ball with probability at most 1/(2 sqrt N).",
        checks=(f"{THEOREM_CHECKS}.block_radius:check",),
        tests=(GAUSSIAN_HOLD, f"{GAUSSIAN}::test_chi_squared_tails_and_the_radius_in_numbers"),
        uses=("lm-tail", "subadditivity"),
    ),
    Entry(
        "block-grids",
        "lemma",
        "A grid of priors for each block, and its price",
        r"k_b \log(1 + \tfrac{\|\theta_b\|^2}{k_b \sigma_b^2}) \le R \Rightarrow \mathrm{KL} \le \sum_b \{ "
        r"\tfrac{1}{4 k_b} + \tfrac{k_b}{2} \log(1 + \tfrac{\|\theta_b\|^2}{k_b \sigma_b^2}) \}, \ "
        r"\log\tfrac{1}{\delta_{ijj'}} \le \log\tfrac m\delta + 4 \log(1.29 (1 + R))",
        "For every R >= 0 that is fixed before the sample, with c_b = sigma_b^2 e^{R / k_b}. 1.29 is pi / sqrt 6, "
        "rounded up: two grids, each with 6 / (pi j)^2 and j <= 1 + R.",
        checks=(f"{THEOREM_CHECKS}.block_grids:check",),
        tests=(GAUSSIAN_HOLD, f"{GAUSSIAN}::test_the_price_of_two_grids_in_numbers"),
        uses=("prior-grid", "grid-kl", "gaussian-kl", "log-tangent", "integral", "fubini"),
    ),
    Entry(
        "block-large-norm",
        "lemma",
        "Beyond the grids Theorem B is trivial",
        r"k_b \log(1 + \tfrac{\|\theta_b\|^2}{k_b \sigma_b^2}) > R \Rightarrow \text{right side} \ge L, \quad R = 2 L "
        r"\sqrt N, \text{ or } 4N \text{ under the root}",
        "For either block, whatever the other is.",
        checks=(f"{THEOREM_CHECKS}.block_large_norm:check",),
        tests=(GAUSSIAN_HOLD,),
    ),
    Entry(
        "theorem-b",
        "theorem",
        "PAC-Bayes with two radii for m tasks",
        r"L_D^i(\theta^i) \le (1 - \tfrac{1}{\sqrt N}) \sup_{\|\varepsilon_{sh}\| \le \rho_{sh}, \|\varepsilon_i\| \le "
        r"\rho_{ns}} L_S^i + \tfrac{1}{\sqrt N} \{ L + \sum_{b = sh, i} [\tfrac{1}{4 k_b} + \tfrac{k_b}{2} \log(1 + "
        r"\tfrac{\|\theta_b\|^2}{\rho_b^2} (1 + \sqrt{\log(4N) / k_b})^2)] + \log\tfrac m\delta + "
        r"4 \log(1.29 (1 + 2 L \sqrt N)) + \tfrac{L^2}{8} \}",
        "With probability at least 1 - delta for all i at once, and all theta with L_D^i(theta^i) <= E L_D^i(theta^i + "
        "eps), which is gauss-assumption with the deviation rho_b / (sqrt k_b + sqrt(log 4N)) in block b. Without it "
        "the right side bounds that mean.",
        paper="Theorem 1",
        checks=(f"{THEOREM_CHECKS}.theorem_b:check",),
        code=(f"{BOUNDS}:theorem_b",),
        tests=(GAUSSIAN_HOLD,),
        uses=(*MEASURED, "alquier", "beta-sqrt-n", "block-radius", "block-grids", "block-large-norm", "tail-term"),
        weaker="log(m/delta) in place of log(1/delta), the term L / sqrt N, one more grid, and the maximum coordinate "
        "by coordinate. The supremum is over the paper's two balls.",
    ),
    Entry(
        "theorem-b-root",
        "theorem",
        "Theorem B under a square root",
        r"L_D^i(\theta^i) \le (1 - \tfrac{1}{\sqrt N}) \sup L_S^i + \tfrac{L}{\sqrt N} + L \sqrt{\tfrac{1}{2N} \{ "
        r"\sum_{b = sh, i} [\tfrac{1}{4 k_b} + \tfrac{k_b}{2} \log(1 + \tfrac{\|\theta_b\|^2}{\rho_b^2} (1 + "
        r"\sqrt{\log(4N) / k_b})^2)] + \log\tfrac{2 \sqrt N m}{\delta} + 4 \log(1.29 (1 + 4N)) \}}",
        "Under the hypotheses of theorem-b, for every N >= 1.",
        paper="Theorem 1",
        checks=(f"{THEOREM_CHECKS}.theorem_b_root:check",),
        code=(f"{BOUNDS}:theorem_b_root",),
        tests=(GAUSSIAN_HOLD,),
        uses=(*MEASURED, "foret-01", "block-radius", "block-grids", "block-large-norm", "tail-term"),
        weaker="As theorem-b; the complexity stands under a root, where it is smaller than the published one if it is "
        "large.",
    ),
)

FORET: tuple[Entry, ...] = (
    Entry(
        "foret-grid",
        "lemma",
        "What the grid of priors costs in the bound of Foret et al.",
        r"\delta_j = \tfrac{6 \delta}{\pi^2 j^2}, \ c = \sigma^2 (1 + e^{4N/k}), \ s \ge \sigma^2 \Rightarrow "
        r"\log\tfrac{1}{\delta_{j^*}} \le \log\tfrac1\delta + 2 \log(6N + 3k)",
        "For all integers N, k >= 1. Their chain of inequalities has a step that is false (foret-slips); its end is "
        "right.",
        paper=FORET_PROOF,
        checks=(f"{THEOREM_CHECKS}.foret_grid:check",),
        tests=(FORET_HOLD, f"{FORET_TESTS}::test_the_price_of_the_grid_in_numbers"),
        uses=("prior-grid", "log-tangent"),
    ),
    Entry(
        "foret-slips",
        "remark",
        "Two steps of the proof of Foret et al.",
        r"j^* \le k \log(c/s), \quad \sqrt{\tfrac{A + 1/4}{N - 1}} \le \sqrt{\tfrac{A}{N - 1}}",
        "As they are written; j* = floor(1 + k log(c/s)), and A stands under the root of the bound. Both are refuted, "
        "and neither does harm: foret-grid and foret-bounded arrive at the published number without them.",
        paper=FORET_PROOF,
        checks=(f"{THEOREM_CHECKS}.foret_slips:check",),
        tests=(FORET_REFUTED, f"{FORET_TESTS}::test_figures_of_the_refutations"),
        expected="refuted",
    ),
    Entry(
        "foret-noise",
        "remark",
        "The Gaussian assumption of Foret et al. gives what their proof uses",
        r"L_D(w) \le \mathbb{E} L_D(w + \rho \xi) \Rightarrow L_D(w) \le \mathbb{E} L_D(w + \sigma \xi), \quad "
        r"\sigma = \frac{\rho}{\sqrt k + \sqrt{\log N}}, \ \xi \sim \mathcal{N}(0, I)",
        "Theorem 2 assumes it of noise of deviation rho, its proof draws noise of deviation sigma. Refuted by a smooth "
        "loss in [1/8, 7/8] of one parameter, rho = 2, N = 100. The condition that is missing is the one at sigma; "
        "whether the inequality itself can fail for a loss in [0, 1] with the one at rho only is not decided.",
        paper="Theorem 2 of Foret et al.",
        checks=(f"{THEOREM_CHECKS}.foret_noise:check",),
        tests=(FORET_REFUTED, f"{FORET_TESTS}::test_narrow_and_wide_noise_in_numbers"),
        uses=("gauss-cosine",),
        expected="refuted",
    ),
    Entry(
        "foret-published",
        "theorem",
        "Theorem 2 of Foret et al. as published",
        r"L_D(w) \le \max_{\|\varepsilon\| \le \rho} L_S(w + \varepsilon) + \sqrt{\tfrac{1}{N - 1} \{ k \log[1 + "
        r"\tfrac{\|w\|^2}{\rho^2} (1 + \sqrt{\log N / k})^2] + 4 \log\tfrac N\delta + 8 \log(6N + 3k) \}}, \ \ell "
        r"\ge 0",
        "With probability at least 1 - delta, where Gaussian noise of deviation rho does not lower L_D; the O~(1) of "
        "the theorem as in the last line of its proof. Losses are nonnegative there and need no bound: refuted by a "
        "loss with values 0 and 13 that does not depend on w, two samples and delta = 1/20.",
        paper="Theorem 2 of Foret et al.",
        checks=(f"{THEOREM_CHECKS}.foret_published:check",),
        code=("theory.bounds.foret:foret",),
        tests=(FORET_REFUTED, f"{FORET_TESTS}::test_figures_of_the_refutations"),
        expected="refuted",
    ),
    Entry(
        "foret-bounded",
        "theorem",
        "When the number of Foret et al. is right",
        r"0 \le \ell \le 1, \ m \le \tfrac N\delta (6N + 3k)^2 \Rightarrow L_D^i(w) \le \sup_{\|\varepsilon\| \le "
        r"\rho} L_S^i(w + \varepsilon) + \sqrt{\tfrac{1}{N - 1} \{ k \log[1 + \tfrac{\|w\|^2}{\rho^2} (1 + "
        r"\sqrt{\log N / k})^2] + 4 \log\tfrac N\delta + 8 \log(6N + 3k) \}}",
        "With probability at least 1 - delta for all i and N >= 2, and all w that satisfy gauss-assumption with the "
        "deviation rho / (sqrt k + sqrt(log N)). The published root is twice the one that is needed: that pays for the "
        "Gaussian outside the ball, for the tasks, and for what foret-slips leaves out.",
        paper="Theorem 2 of Foret et al.",
        checks=(f"{THEOREM_CHECKS}.foret_bounded:check",),
        code=("theory.bounds.foret:foret", "theory.bounds.foret:foret_is_bound"),
        tests=(
            FORET_HOLD,
            f"{FORET_TESTS}::test_the_published_number_pays_for_the_tail_and_the_tasks",
            "tests/theory/test_main_theorem.py::test_foret_s_number_is_a_bound_for_losses_up_to_one",
        ),
        uses=(
            *MEASURED,
            "foret-01",
            "prior-grid",
            "grid-kl",
            "foret-grid",
            "radius",
            "tail-term",
            "union-over-tasks",
            "theorem-1-single",
        ),
        weaker="Than Foret et al.: losses in [0, 1], two samples at least, the assumption at the proof's deviation.",
    ),
    Entry(
        "one-grid",
        "lemma",
        "A grid of priors for one block, and its price",
        r"k \log(1 + \tfrac{\|w\|^2}{k \sigma^2}) \le R \Rightarrow \mathrm{KL} \le \tfrac{1}{4k} + \tfrac k2 \log(1 + "
        r"\tfrac{\|w\|^2}{k \sigma^2}), \ \log\tfrac{1}{\delta_{ij}} \le \log\tfrac m\delta + 2 \log(1.29 (1 + R))",
        "For every R >= 0 that is fixed before the sample, with c = sigma^2 e^{R / k}: block-grids with one block.",
        checks=(f"{THEOREM_CHECKS}.one_grid:check",),
        tests=(FORET_HOLD, f"{FORET_TESTS}::test_the_price_of_the_grid_in_numbers"),
        uses=("prior-grid", "grid-kl", "gaussian-kl", "log-tangent", "integral"),
    ),
    Entry(
        "foret-corrected",
        "theorem",
        "The bound of Foret et al. with what its proof leaves out",
        r"L_D^i(w) \le (1 - \tfrac{1}{\sqrt N}) \sup_{\|\varepsilon\| \le \rho} L_S^i(w + \varepsilon) + "
        r"\tfrac{L}{\sqrt N} + L \sqrt{\tfrac{1}{2N} \{ \tfrac{1}{4k} + \tfrac k2 \log[1 + \tfrac{\|w\|^2}{\rho^2} "
        r"(1 + \sqrt{\log N / k})^2] + \log\tfrac{2 \sqrt N m}{\delta} + 2 \log(1.29 (1 + 4N)) \}}",
        "With probability at least 1 - delta for all i and every N >= 1, and all w that satisfy gauss-assumption with "
        "the deviation rho / (sqrt k + sqrt(log N)); losses in [0, L].",
        paper="Theorem 2 of Foret et al.",
        checks=(f"{THEOREM_CHECKS}.foret_corrected:check",),
        code=("theory.bounds.foret:foret_corrected",),
        tests=(FORET_HOLD, f"{FORET_TESTS}::test_the_corrected_bound_from_its_parts"),
        uses=(
            *MEASURED,
            "foret-01",
            "one-grid",
            "radius",
            "tail-term",
            "block-large-norm",
            "theorem-1-single",
            "theorem-b-root",
        ),
        weaker="Than Foret et al.: losses in [0, L], L / sqrt N and log m added, the assumption at another deviation.",
    ),
)

LAWS: tuple[Entry, ...] = (
    Entry(
        "law-forms",
        "lemma",
        "Nonnegative principal minors make a form nonnegative",
        r"\det G_{SS} \ge 0 \ \forall S \Rightarrow w^\top G w \ge 0",
        "For two and three rows.",
        checks=("theory.proof.laws.forms:minors",),
        tests=LEMMAS,
    ),
    Entry(
        "law-mgda-descent",
        "lemma",
        "MGDA never climbs",
        r"\langle g_i, d \rangle \ge \|d\|^2 \ge 0",
        "For any number of tasks in every dimension; > 0 unless d = 0.",
        checks=("theory.proof.laws.mgda:descent",),
        code=(f"{WEIGHTINGS}.mgda:MGDA",),
        tests=(*LEMMAS, f"{JOINED}::test_the_lemma_s_weights_are_the_core_s"),
        uses=("gramian", "law-forms", "cauchy-schwarz"),
    ),
    Entry(
        "law-mgda-shortest",
        "lemma",
        "MGDA's certificate",
        r"\langle g_i, d \rangle \ge \|d\|^2 - \text{gap} \ \forall i \Rightarrow \|d - d^*\|^2 \le \text{gap}",
        "d in the hull, d* its shortest vector; with gap 0 the conditions are sufficient.",
        checks=("theory.proof.laws.mgda:shortest",),
        code=(f"{WEIGHTINGS}.mgda:MGDA",),
        tests=LEMMAS,
        uses=("law-mgda-descent", "cauchy-schwarz"),
    ),
    Entry(
        "law-mgda-short",
        "lemma",
        "MGDA is no longer than any row",
        r"\|d\| \le \min_i \|g_i\|",
        "Hence no longer than the mean of their lengths.",
        checks=("theory.proof.laws.mgda:short",),
        code=(f"{WEIGHTINGS}.mgda:MGDA",),
        tests=LEMMAS,
        uses=("law-mgda-descent", "cauchy-schwarz"),
    ),
    Entry(
        "law-pcgrad-two",
        "lemma",
        "PCGrad of two tasks never climbs",
        r"m = 2: \ \langle g_i, d \rangle \ge 0",
        "> 0 unless a row is zero or the rows are opposite.",
        checks=("theory.proof.laws.pcgrad:of_two",),
        code=(f"{WEIGHTINGS}.pcgrad:PCGrad",),
        tests=(*LEMMAS, f"{JOINED}::test_the_lemma_s_weights_are_the_core_s"),
        uses=("gramian", "cauchy-schwarz"),
    ),
    Entry(
        "law-pcgrad-weights",
        "lemma",
        "PCGrad stays in the cone",
        r"w_i \ge 0",
        "In any order of any number of tasks; a task's own weight in its own projection stays >= 1.",
        checks=("theory.proof.laws.pcgrad:weights",),
        code=(f"{WEIGHTINGS}.pcgrad:PCGrad",),
        tests=LEMMAS,
    ),
    Entry(
        "law-pcgrad-three",
        "remark",
        "PCGrad of three tasks hardly climbs",
        r"m = 3, \ \|g_i\| = 1: \ \langle g_i, d \rangle > -\tfrac18 \text{ for some order}",
        "Refuted: three unit rows for which all 8 choices of orders fail.",
        checks=("theory.proof.laws.pcgrad:of_three",),
        code=(f"{WEIGHTINGS}.pcgrad:PCGrad",),
        tests=(*LEMMAS, f"{JOINED}::test_pcgrad_conflicts_in_every_order"),
        uses=("gramian",),
        expected="refuted",
    ),
    Entry(
        "law-cagrad-optimal",
        "lemma",
        "CAGrad is the best direction of its ball",
        r"d = g_0 + c \|g_0\| g_w / \|g_w\| \text{ maximises } \min_i \langle g_i, z \rangle \text{ over } \|z - "
        r"g_0\| \le c \|g_0\|",
        "When w minimises the dual; and it alone does, for g_w != 0.",
        checks=("theory.proof.laws.cagrad:optimal",),
        code=(f"{WEIGHTINGS}.cagrad:CAGrad",),
        tests=LEMMAS,
        uses=("gramian", "cauchy-schwarz", "dual-norm"),
    ),
    Entry(
        "law-cagrad-descent",
        "lemma",
        "CAGrad with c >= 1 never climbs",
        r"c \ge 1: \ \langle g_i, d \rangle \ge 0",
        "For any number of tasks.",
        checks=("theory.proof.laws.cagrad:descent",),
        code=(f"{WEIGHTINGS}.cagrad:CAGrad",),
        tests=(*LEMMAS, f"{JOINED}::test_the_lemma_s_weights_are_the_core_s"),
        uses=("law-cagrad-optimal", "gramian", "cauchy-schwarz"),
    ),
    Entry(
        "law-cagrad-half",
        "remark",
        "CAGrad with c = 1/2 hardly climbs",
        r"c = \tfrac12, \ m = 2: \ \langle g_1, d \rangle > -\tfrac18 \|g_1\|^2",
        "Refuted by two rows.",
        checks=("theory.proof.laws.cagrad:half_ball",),
        code=(f"{WEIGHTINGS}.cagrad:CAGrad",),
        tests=(*LEMMAS, f"{JOINED}::test_the_core_breaks_the_law_on_a_model_s_rows"),
        uses=("gramian",),
        expected="refuted",
    ),
    Entry(
        "law-imtlg-projections",
        "lemma",
        "IMTL-G projects equally",
        r"\langle d, u_i \rangle = \langle d, u_j \rangle, \ u_i = g_i / \|g_i\|",
        "For two and three tasks whose unit rows have a solution K y = 1.",
        checks=("theory.proof.laws.imtlg:projections",),
        code=(f"{WEIGHTINGS}.imtlg:IMTLG",),
        tests=(*LEMMAS, f"{JOINED}::test_the_lemma_s_weights_are_the_core_s"),
        uses=("gramian",),
    ),
    Entry(
        "law-imtlg-two",
        "lemma",
        "IMTL-G of two tasks descends",
        r"m = 2, \ u_1 \ne -u_2: \ \langle g_i, d \rangle > 0, \ a_i > 0",
        "Affine weights with equal projections.",
        checks=("theory.proof.laws.imtlg:of_two",),
        code=(f"{WEIGHTINGS}.imtlg:IMTLG",),
        tests=(*LEMMAS, f"{JOINED}::test_the_lemma_s_weights_are_the_core_s"),
        uses=("gramian",),
    ),
    Entry(
        "law-imtlg-three",
        "remark",
        "IMTL-G of three tasks hardly climbs",
        r"m = 3: \ \langle d, u_i \rangle > -\tfrac18 \|g_1\|",
        "Refuted: the common projection can be far below 0.",
        checks=("theory.proof.laws.imtlg:of_three",),
        code=(f"{WEIGHTINGS}.imtlg:IMTLG",),
        tests=(*LEMMAS, f"{JOINED}::test_the_core_breaks_the_law_on_a_model_s_rows"),
        uses=("gramian",),
        expected="refuted",
    ),
    Entry(
        "law-nash-descent",
        "lemma",
        "Nash-MTL descends along a direction of length sqrt m",
        r"a_i \langle g_i, d \rangle = 1, \ a_i > 0 \Rightarrow \langle g_i, d \rangle > 0, \ \|d\|^2 = m",
        "For any number of tasks.",
        checks=("theory.proof.laws.nash:descent",),
        code=(f"{WEIGHTINGS}.nash_fair:NashMTL",),
        tests=(*LEMMAS, f"{JOINED}::test_the_lemma_s_weights_are_the_core_s"),
        uses=("gramian",),
    ),
    Entry(
        "law-nash-unique",
        "lemma",
        "Nash-MTL has one solution at most",
        r"\|d_a - d_b\|^2 = \sum_i (a_i - b_i)(\tfrac1{a_i} - \tfrac1{b_i}) \le 0",
        "For any number of tasks and positive weights.",
        checks=("theory.proof.laws.nash:unique",),
        code=(f"{WEIGHTINGS}.nash_fair:NashMTL",),
        tests=LEMMAS,
    ),
    Entry(
        "law-nash-scales",
        "lemma",
        "Nash-MTL ignores the lengths of the rows",
        r"d(c_1 g_1, .., c_m g_m) = d(g_1, .., g_m), \ c_i > 0",
        "For three tasks.",
        checks=("theory.proof.laws.nash:scales",),
        code=(f"{WEIGHTINGS}.nash_fair:NashMTL",),
        tests=LEMMAS,
        uses=("gramian",),
    ),
    Entry(
        "law-nash-hull",
        "lemma",
        "Nash-MTL has no solution where 0 is in the hull",
        r"a_i \langle g_i, d \rangle = 1, \ a_i > 0 \Rightarrow \|\textstyle\sum_i w_i g_i\| > 0",
        "For all weights w of the simplex, three tasks.",
        checks=("theory.proof.laws.nash:hull",),
        code=(f"{WEIGHTINGS}.nash_fair:NashMTL",),
        tests=LEMMAS,
        uses=("cauchy-schwarz",),
    ),
    Entry(
        "law-dual-cone",
        "lemma",
        "The projection on the dual cone",
        r"x = y + J^\top l, \ l \ge 0, \ \langle g_i, x \rangle \ge 0, \ l_i \langle g_i, x \rangle = 0 \Rightarrow x "
        r"\text{ is nearest to } y",
        "And no longer than y; PCGrad of two tasks is UPGrad, and DualProj of two in closed form.",
        checks=("theory.proof.laws.dual_cone:projection",),
        code=(f"{WEIGHTINGS}.dual_cone:UPGrad", f"{WEIGHTINGS}.dual_cone:DualProj"),
        tests=(*LEMMAS, f"{JOINED}::test_the_lemma_s_weights_are_the_core_s"),
        uses=("gramian", "cauchy-schwarz"),
    ),
    Entry(
        "law-dualproj-strict",
        "remark",
        "DualProj of independent rows descends strictly",
        r"m = 2: \ \langle g_i, d \rangle > 0",
        "Refuted: a product can be 0.",
        checks=("theory.proof.laws.dual_cone:not_strict",),
        code=(f"{WEIGHTINGS}.dual_cone:DualProj",),
        tests=LEMMAS,
        uses=("gramian",),
        expected="refuted",
    ),
)

STEP: tuple[Entry, ...] = (
    Entry(
        "cauchy-schwarz",
        "lemma",
        "Cauchy-Schwarz and the triangle inequality",
        r"\langle x, y \rangle^2 \le \|x\|^2 \|y\|^2, \quad \|x + y\| \le \|x\| + \|y\|",
        "In R^d for every d, by induction on the coordinates.",
        checks=(f"{STEP_CHECKS}.cauchy_schwarz:check",),
        tests=HOLD,
    ),
    Entry(
        "dual-norm",
        "lemma",
        "The worst case of a linear loss on a ball",
        r"\max_{\|\varepsilon\| \le \rho} \langle g, \varepsilon \rangle = \rho \|g\|, \text{ at } \varepsilon = \rho "
        r"g / \|g\| \text{ alone}",
        "In every dimension, for g != 0; for g = 0 every point of the ball gives 0.",
        checks=(f"{STEP_CHECKS}.dual_norm:check",),
        tests=HOLD,
        uses=("cauchy-schwarz",),
    ),
    Entry(
        "separate-vs-joint",
        "lemma",
        "Separate balls against one joint ball",
        r"\max \langle g, \varepsilon \rangle = \rho_{sh} \|g_{sh}\| + \rho_{ns} \|g_{ns}\| \text{ on separate "
        r"balls}, \ \rho \sqrt{\|g_{sh}\|^2 + \|g_{ns}\|^2} \text{ on the joint one}",
        "At equal radii joint <= separate <= sqrt 2 joint; separate balls lie in the joint one of radius "
        "sqrt(rho_sh^2 + rho_ns^2).",
        checks=(f"{STEP_CHECKS}.separate_vs_joint:check",),
        code=("flatmtl_core.second_pass:SecondPass._perturb",),
        tests=(
            *HOLD,
            "tests/equations/test_reference_twin.py::test_twin_perturbation_is_the_worst_case_of_the_linearised_loss",
        ),
        uses=("dual-norm", "cauchy-schwarz"),
    ),
    Entry(
        "eq-2",
        "equation",
        "The worst-case loss of every task",
        r"[\max_{\|\varepsilon_{sh}\| \le \rho_{sh}} \max_{\|\varepsilon_i\| \le \rho_{ns}} L^i(\theta_{sh} + "
        r"\varepsilon_{sh}, \theta_i + \varepsilon_i)]_i",
        "Read coordinate by coordinate: each is one maximum over the product of both balls, at least the loss, and "
        "grows with the radii. That one perturbation attains all of them is another statement: vector-max.",
        paper="eq. 2",
        checks=(f"{STEP_CHECKS}.worst_case:nested",),
        tests=HOLD,
    ),
    Entry(
        "eq-3",
        "equation",
        "Where the complexity of Theorem 1 stands",
        r"\max_\varepsilon [L_S^i(\theta + \varepsilon) + f^i] = \max_\varepsilon L_S^i(\theta + \varepsilon) + f^i",
        "f^i does not depend on the perturbation. What becomes of the bound of eq. 3: theorem-1, salvage, theorem-c.",
        paper="eq. 3",
        checks=(f"{STEP_CHECKS}.worst_case:constant",),
        tests=HOLD,
        weaker="Only the form of eq. 3; what becomes of its bound stands under theorem-1.",
    ),
    Entry(
        "eq-7",
        "equation",
        "The head's perturbation",
        r"\varepsilon_{ns}^i = \rho_{ns} g_{ns}^i / \|g_{ns}^i\|_2",
        "The only maximiser of the linearised loss on the head's ball, for a nonzero gradient.",
        paper="eq. 7",
        checks=(f"{STEP_CHECKS}.dual_norm:check",),
        code=("flatmtl_core.perturb:head_radius_factor", "flatmtl_core.perturb:move"),
        tests=(*HOLD, f"{EQUATIONS}::test_eq_7_head_perturbation"),
        uses=("cauchy-schwarz",),
    ),
    Entry(
        "eq-9",
        "equation",
        "One perturbation of the trunk for all tasks",
        r"\max_{\|\varepsilon_{sh}\| \le \rho_{sh}} [L^i + \rho_{ns} \|g_{ns}^i\| + \langle g_{sh}^i, "
        r"\varepsilon_{sh} \rangle]_i",
        "For weights w >= 0 its linearised value is sum_i w_i (L^i + rho_ns ||g_ns^i||) + rho_sh ||sum_i w_i g_sh^i||.",
        paper="eq. 9",
        checks=(f"{STEP_CHECKS}.worst_case:common",),
        tests=HOLD,
        uses=("dual-norm", "cauchy-schwarz"),
    ),
    Entry(
        "eq-10",
        "equation",
        "The relaxation: one perturbation for each task",
        r"\max_\varepsilon \sum_i w_i f_i(\varepsilon) \le \sum_i w_i \max_\varepsilon f_i(\varepsilon), \quad "
        r"\|\textstyle\sum_i w_i g_i\| \le \sum_i w_i \|g_i\|",
        "For all weights >= 0, and coordinate by coordinate; strict for opposite gradients. When it is an equality: "
        "common-vs-per-task.",
        paper="eq. 10",
        checks=(f"{STEP_CHECKS}.worst_case:relaxed",),
        tests=HOLD,
        uses=("cauchy-schwarz",),
    ),
    Entry(
        "eq-11",
        "equation",
        "The trunk's perturbation, one for each task",
        r"\varepsilon_{sh}^i = \rho_{sh} g_{sh}^{i,loss} / \|g_{sh}^{i,loss}\|_2",
        "The only maximiser of the task's linearised loss on the trunk's ball, for a nonzero gradient.",
        paper="eq. 11",
        checks=(f"{STEP_CHECKS}.dual_norm:check",),
        code=("flatmtl_core.perturb:shared_radius_factor", "flatmtl_core.perturb:move"),
        tests=(*HOLD, f"{EQUATIONS}::test_eq_11_shared_perturbation"),
        uses=("cauchy-schwarz",),
    ),
    Entry(
        "eq-12",
        "equation",
        "The loss at the perturbed point",
        r"|L(\theta + \varepsilon^i) - L - \rho_{sh} \|g_{sh}\| - \rho_{ns} \|g_{ns}\|| \le \tfrac{B}{2} (\rho_{sh}^2 "
        r"+ \rho_{ns}^2)",
        "B bounds the norm of the Hessian on both balls; for a convex loss it is never below the linearisation.",
        paper="eq. 12",
        checks=(f"{STEP_CHECKS}.worst_case:perturbed",),
        code=("flatmtl_core.second_pass:SecondPass.second_pass",),
        tests=HOLD,
        uses=("flat-length", "dual-norm", "taylor", "second-derivatives", "cauchy-schwarz"),
    ),
    Entry(
        "eq-13",
        "equation",
        "The worst case to first order",
        r"|\max_\varepsilon L(\theta + \varepsilon) - L - \rho_{sh} \|g_{sh}\| - \rho_{ns} \|g_{ns}\|| \le "
        r"\tfrac{B}{2} (\rho_{sh}^2 + \rho_{ns}^2)",
        "B bounds the norm of the Hessian on both balls.",
        paper="eq. 13",
        checks=(f"{STEP_CHECKS}.worst_case:penalised",),
        tests=(*HOLD, f"{FLAT_ORDER}::test_the_worst_case_is_the_penalised_loss_to_first_order"),
        uses=("eq-12", "separate-vs-joint", "taylor", "second-derivatives", "cauchy-schwarz"),
    ),
    Entry(
        "eq-14",
        "equation",
        "The head's gradient at the perturbed point",
        r"\nabla_{ns} L(\theta + \varepsilon) = \nabla_{ns} [L + \rho_{sh} \|g_{sh}\| + \rho_{ns} \|g_{ns}\|] \text{ "
        r"on quadratics}",
        "Exact for quadratics of 2 + 2 parameters, by differentiation; each head follows its own task's.",
        paper="eq. 14",
        checks=(f"{STEP_CHECKS}.gradients:head",),
        code=("flatmtl_core.second_pass:SecondPass.second_pass",),
        tests=(
            *HOLD,
            f"{EQUATIONS}::test_eq_14_head_gradient_and_update",
            f"{QUADRATICS}::test_heads_receive_the_sam_gradient_with_both_blocks_moved",
        ),
        uses=("second-derivatives",),
    ),
    Entry(
        "eq-15",
        "equation",
        "The trunk's two gradients",
        r"\nabla_{sh} L(\theta + \varepsilon) = \nabla_{sh} [L + \rho_{sh} \|g_{sh}\| + \rho_{ns} \|g_{ns}\|] \text{ "
        r"on quadratics}",
        "Exact for quadratics of 2 + 2 parameters, by differentiation; in general see flat-is-penalty-gradient.",
        paper="eq. 15",
        checks=(f"{STEP_CHECKS}.gradients:shared",),
        code=("flatmtl_core.task_gradients:task_gradients",),
        tests=(*HOLD, f"{EQUATIONS}::test_eq_15_two_shared_gradients"),
        uses=("second-derivatives",),
    ),
    Entry(
        "eq-16",
        "definition",
        "The flat gradient",
        r"g^{i,flat} = g^{i,SAM} - g^{i,loss}",
        "Loss part plus flat part is the SAM gradient: an identity.",
        paper="eq. 16",
        checks=(f"{STEP_CHECKS}.gradients:difference",),
        code=("flatmtl_core.second_pass:SecondPass._absorb",),
        tests=(*HOLD, f"{EQUATIONS}::test_eq_16_flat_gradient"),
    ),
    Entry(
        "algorithm-1",
        "definition",
        "The decomposed and the direct direction",
        r"\sum_i a_i g^{i,loss} + b_i g^{i,flat} = \sum_i b_i g^{i,SAM} + (a_i - b_i) g^{i,loss}",
        "Weights a from the loss gradients, b from the flat ones: where they agree, decomposed is a direct "
        "combination.",
        paper="Algorithm 1",
        checks=(f"{STEP_CHECKS}.gradients:algorithm",),
        code=("flatmtl_core.step:sam_mtl_backward",),
        tests=(*HOLD, f"{EQUATIONS}::test_algorithm_1_three_iterations"),
    ),
    Entry(
        "flat-length",
        "lemma",
        "Both blocks move at once",
        r"\|\varepsilon\|^2 = \rho_{sh}^2 + \rho_{ns}^2",
        "For separate balls where neither gradient is zero.",
        checks=(f"{STEP_CHECKS}.flat_is_penalty_gradient:lengths",),
        tests=HOLD,
    ),
    Entry(
        "flat-is-penalty-gradient",
        "lemma",
        "The flat gradient is the gradient of the penalty",
        r"g^{flat} = \nabla_{sh} (\rho_{sh} \|g_{sh}\| + \rho_{ns} \|g_{ns}\|) + R, \ \|R\| \le \tfrac{M}{2} "
        r"(\rho_{sh}^2 + \rho_{ns}^2)",
        "For an M-Lipschitz Hessian and nonzero gradients of both blocks. With rho_ns/rho_sh fixed the relative error "
        "is O(rho) where the first-order part is not zero; where it is, see flat-relative-error. On quadratics R = 0 "
        "and g^flat = rho_sh H_ss g_sh/||g_sh|| + rho_ns H_sn g_ns/||g_ns||.",
        checks=(f"{STEP_CHECKS}.flat_is_penalty_gradient:check",),
        code=("flatmtl_core.second_pass:SecondPass._absorb",),
        tests=(
            *HOLD,
            f"{FLAT_ORDER}::test_the_relative_error_is_of_order_one_in_the_radius",
            f"{FLAT_ORDER}::test_the_remainder_is_within_its_bound",
            f"{QUADRATICS}::test_flat_is_curvature_times_unit_gradients",
            f"{QUADRATICS}::test_flat_is_the_penalty_gradient_to_first_order_on_a_smooth_network",
        ),
        uses=("flat-length", "cauchy-schwarz", "taylor", "second-derivatives"),
    ),
    Entry(
        "flat-relative-error",
        "remark",
        "The remainder is always of relative order rho",
        r"\|R\| \le c \rho \, \|\nabla_{sh} (\rho_{sh} \|g_{sh}\| + \rho_{ns} \|g_{ns}\|)\| \text{ for some } c",
        "Refuted by L = x + x^3 + y at 0, x the trunk: the penalty's gradient is 0 and g^flat = R = 3 rho_sh^2.",
        checks=(f"{STEP_CHECKS}.flat_relative_error:check",),
        code=("flatmtl_core.second_pass:SecondPass._absorb",),
        tests=(*REFUTED, f"{FLAT_ORDER}::test_the_flat_gradient_may_be_all_remainder"),
        uses=("second-derivatives",),
        expected="refuted",
    ),
    Entry(
        "sharp-remainder",
        "lemma",
        "The constant M/2 is the best",
        r"L = \tfrac{M}{6} \operatorname{Re}(c z^3): \ R = \tfrac{M}{2} (\rho_{sh}^2 + \rho_{ns}^2)",
        "For every pair of radii a cubic in two parameters with an M-Lipschitz Hessian attains the bound.",
        checks=(f"{STEP_CHECKS}.sharp_remainder:check",),
        tests=(*HOLD, f"{FLAT_ORDER}::test_a_cubic_attains_the_bound"),
    ),
    Entry(
        "linear-identity",
        "lemma",
        "Linear aggregators do not tell decomposed from direct",
        r"A(g^{loss}) + A(g^{SAM} - g^{loss}) = A(g^{SAM})",
        "A(G) = sum_i w_i g_i with the same weights in both calls. Exactly the additive aggregators do not; MGDA does.",
        checks=(f"{STEP_CHECKS}.linear_identity:check",),
        code=("flatmtl_core.weightings.constant:Constant", "flatmtl_core.weightings.constant:Mean"),
        tests=(
            *HOLD,
            f"{STEP_LAWS}::test_linear_aggregators_do_not_tell_decomposed_from_direct",
            f"{STEP_LAWS}::test_nonlinear_aggregators_tell_decomposed_from_direct",
        ),
    ),
    Entry(
        "rho-zero",
        "lemma",
        "Radius zero is the base method",
        r"\rho = 0, \ A(0) = 0 \Rightarrow A(g^{loss}) + A(g^{flat}) = A(g^{SAM}) = A(g^{loss})",
        "For a deterministic forward and an aggregator that is a function of its rows; A(0) = 0 follows from "
        "homogeneity of a positive degree. One that draws or remembers is called twice where the base method calls it "
        "once: its later draws and state differ.",
        checks=(f"{STEP_CHECKS}.rho_zero:check",),
        code=("flatmtl_core.step:sam_mtl_backward",),
        tests=(*HOLD, f"{STEP_LAWS}::test_radius_zero_is_the_base_method_exactly"),
    ),
    Entry(
        "m-one",
        "lemma",
        "One task is SAM",
        r"m = 1, \ A(g) = g \Rightarrow A(g^{loss}) + A(g^{flat}) = g^{SAM}",
        "With one radius for each block. CAGrad without rescaling gives 1 + c times that, (1 + c)/(1 + c^2) times with "
        "the rescaling of its authors' code; Nash-MTL at its own scale is not even parallel to it.",
        checks=(f"{STEP_CHECKS}.m_one:check",),
        code=("flatmtl_core.step:sam_mtl_backward",),
        tests=(*HOLD, f"{STEP_LAWS}::test_one_task_is_sam"),
    ),
    Entry(
        "descent-condition",
        "remark",
        "The sum of the two parts descends on all tasks",
        r"\langle g_i, d_{loss} \rangle \ge 0 \ \forall i \Rightarrow \langle g_i, d_{loss} + d_{flat} \rangle \ge 0 "
        r"\ \forall i",
        "Refuted for MGDA by the smallest convex problems, with d_loss = 0 and with <g_i, d_loss> > 0, also for "
        "positive definite Hessians, and by a single concave task. One convex task, and two in one parameter, can not "
        "refute it.",
        checks=(f"{STEP_CHECKS}.descent_condition:check",),
        code=("flatmtl_core.step:sam_mtl_backward",),
        tests=(
            *REFUTED,
            f"{STEP_TESTS}::test_the_smallest_counterexamples",
            f"{TOYS}::test_the_core_takes_the_exact_directions",
        ),
        uses=("law-mgda-shortest",),
        expected="refuted",
    ),
    Entry(
        "descent-radius",
        "lemma",
        "A radius at which it does",
        r"\|d_{flat}\| \max_i \|g_i\| < \|d_{loss}\|^2 \Rightarrow \langle g_i, d_{loss} + d_{flat} \rangle > 0 \ "
        r"\forall i",
        "For MGDA, exact and not rescaled. On quadratics, and else to first order, the radii may be multiplied by t < "
        "||d_loss||^2 / (||d_flat|| max_i ||g_i||); for Hessians of norm at most B, sqrt(rho_sh^2 + rho_ns^2) < "
        "||d_loss||^2 / (B max_i ||g_i||). With a solver's gap, ||d_loss||^2 - gap; for MGDA times m, ||D_loss||^2 / "
        "m.",
        checks=(f"{STEP_CHECKS}.descent_radius:check",),
        tests=(*HOLD, f"{TOYS}::test_below_the_largest_radius_every_task_descends"),
        uses=(
            "law-mgda-descent",
            "law-mgda-shortest",
            "law-mgda-short",
            "cauchy-schwarz",
            "taylor",
            "second-derivatives",
        ),
    ),
    Entry(
        "intra-conflict-toy",
        "remark",
        "Either combination can cancel where the other moves",
        r"A(g^{SAM}) = 0 \ne A(g^{loss}) + A(g^{flat}), \text{ and the other way round}",
        "Two toys of two quadratic tasks with positive definite Hessians in two parameters, MGDA, rho = 1; d_loss = 0 "
        "in both.",
        checks=(f"{STEP_CHECKS}.intra_conflict_toy:check",),
        code=("flatmtl_core.step:sam_mtl_backward",),
        tests=(*HOLD, f"{TOYS}::test_the_core_takes_the_exact_directions"),
        uses=("law-mgda-shortest",),
    ),
    Entry(
        "opposite-parts",
        "lemma",
        "Where both parts cancel, direct stands still too",
        r"d_{loss} = -d_{flat} \ne 0 \Rightarrow A(g^{SAM}) = 0",
        "MGDA, two parameters, any number of convex tasks, only the trunk perturbed.",
        checks=(f"{STEP_CHECKS}.opposite_parts:check",),
        tests=HOLD,
        uses=("law-mgda-descent",),
    ),
    Entry(
        "opposite-parts-elsewhere",
        "remark",
        "The same beyond two parameters, with perturbed heads, without convexity",
        r"d_{loss} = -d_{flat} \ne 0 \Rightarrow A(g^{SAM}) = 0",
        "Refuted in each of the three cases by two quadratic tasks in exact numbers; the convex ones have positive "
        "definite Hessians.",
        checks=(f"{STEP_CHECKS}.opposite_parts_elsewhere:check",),
        code=("flatmtl_core.step:sam_mtl_backward",),
        tests=(*REFUTED, f"{TOYS}::test_the_core_takes_the_exact_directions"),
        uses=("law-mgda-shortest",),
        expected="refuted",
    ),
    Entry(
        "adaptive-mismatch",
        "lemma",
        "What the flat gradient of the adaptive ball leaves out",
        r"\nabla_w (\rho \||w| g\|) = H \varepsilon + \rho\, w g^2 / \||w| g\|, \quad \varepsilon = \rho\, w^2 g / "
        r"\||w| g\|",
        "eps is the worst case of the ball ||eps / |w| || <= rho. To first order g^flat is H eps: the derivative of "
        "|w| is missing; with |w| frozen nothing is.",
        checks=(f"{STEP_CHECKS}.adaptive_mismatch:check",),
        code=("flatmtl_core.perturb:move",),
        tests=(
            *HOLD,
            f"{FLAT_ORDER}::test_the_adaptive_flat_gradient_lacks_the_derivative_of_the_weights",
            f"{QUADRATICS}::test_flat_on_quadratics_for_every_ball",
        ),
        uses=("dual-norm", "second-derivatives"),
    ),
    Entry(
        "toy-2d",
        "remark",
        "Figure 1 in exact numbers",
        r"\langle g_1, g_2 \rangle, \langle h_1, h_2 \rangle < 0: \ d \text{ decomposed descends on } g_i, h_i; "
        r"\text{ direct climbs } L^2",
        "Two quadratics with positive definite Hessians in two parameters, MGDA; and a mirror image, in which the two "
        "change their roles. On quadratics h_i is the gradient of task i's penalty.",
        paper="Figure 1",
        checks=(f"{STEP_CHECKS}.toy_2d:check",),
        code=("flatmtl_core.step:sam_mtl_backward",),
        tests=(*HOLD, f"{TOYS}::test_the_core_takes_the_exact_directions"),
        uses=("law-mgda-shortest", "flat-is-penalty-gradient"),
    ),
)

BLUEPRINT: tuple[Entry, ...] = (*TEXTBOOK, *CHAIN, *THEOREMS, *FORET, *LAWS, *STEP)
