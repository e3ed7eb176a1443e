"""What came out, one answer a question, computed from what is stored: for the top of the report and for the README."""

import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from experiments.certificates.records import Certificate
from paper_figures import (
    bounds,
    fig_coverage,
    tab_bounds,
    tab_certificates,
    tab_gates,
    tab_ledger,
    tab_losses,
    tab_mutation,
    tab_one_setting,
    tab_searched,
)
from paper_figures.exhibit import Exhibit, FileExhibit, Stored, distinct
from paper_figures.runs import PROBLEM_TITLES

LEVEL = 0.05
WIDTH = 120
"""Of the lines of the README."""
PUBLISHED = "theorem-1"
"""Label of the paper's theorem in the theory."""
SHOWN = ("Theorem 1", "A", "C", "Foret corrected")
"""Of the theorems in numbers."""


@dataclass(frozen=True)
class Finding:
    """A question, its answer in the stored numbers, and the exhibit that has them all."""

    question: str
    answer: str
    exhibit: Exhibit[Any]


def _theorem(stored: Stored) -> str:
    theory = stored.files[tab_ledger.EXHIBIT.file.name]
    published = theory.found.get(PUBLISHED)
    if published is None:
        return ""
    wrong = [one for label in published.entry.uses if (one := theory.found[label]).folded == "refuted"]
    because = f" (it rests on: {'; '.join(one.entry.title for one in wrong)})" if wrong else ""
    verdicts = [one.folded for one in theory.found.values()]
    return (
        f"As derived in the paper: {published.folded}{because}. Corrected theorems stand beside it. Of {len(verdicts)} "
        f"statements, with what they rest on: {tab_ledger.counted(verdicts)}."
    )


def _bound(stored: Stored) -> str:
    rows = [row for row in tab_bounds.data(stored.runs["laptop"], "laptop") if row.vacuous is not None]
    if not rows:
        return ""
    said = []
    for name in SHOWN:
        values = [row for row in rows if row.quantity == name]
        low, high = min(row.lowest for row in values), max(row.highest for row in values)
        said.append(f"{name} {tab_bounds.figures(low)} to {tab_bounds.figures(high)}")
    vacuous, count = sum(row.vacuous or 0 for row in rows), sum(row.n for row in rows)
    return (
        f"For a loss of at most {bounds.LIMIT:g}, after training in the laptop profile: {', '.join(said)}. "
        f"{vacuous:,} of {count:,} values, of {len(bounds.THEOREMS)} theorems, are vacuous."
    )


def _certified(stored: Stored) -> str:
    return f"Lowest certified mean error of the tasks: {_lowest(_content(stored, tab_certificates.EXHIBIT), 'error')}."


def _certified_otherwise(stored: Stored) -> str:
    content = _content(stored, tab_losses.EXHIBIT)
    lowest = _lowest(content, "loss")
    return f"Lowest certified mean loss, of at most 100 %: {lowest}. {tab_certificates.answer(content)}"


def _lowest(content: tuple[Certificate, ...], measured: str) -> str:
    rows = [row for row in tab_certificates.data(content) if row.quantity == "average"]
    said = []
    for problem in distinct(row.problem for row in rows):
        best = min((row for row in rows if row.problem == problem), key=lambda row: row.low)
        said.append(f"{PROBLEM_TITLES[problem]} {best.low:.1f} % (test {measured} {best.best_test:.1f} %)")
    return ", ".join(said)


def _better(stored: Stored) -> str:
    return tab_certificates.answer(_content(stored, tab_certificates.EXHIBIT))


def _one_setting(stored: Stored) -> str:
    rows = tab_one_setting.data(stored.runs["laptop"], "laptop")
    said = []
    for problem in distinct(row.problem for row in rows):
        for question in (tab_one_setting.FLATNESS, tab_one_setting.DECOMPOSITION):
            own = [row for row in rows if (row.problem, row.question) == (problem, question)]
            if own:
                gains = [row.difference for row in own]
                decided = [row for row in own if row.p_holm <= LEVEL]
                said.append(
                    f"{PROBLEM_TITLES[problem]}, {question}: {min(gains):+.2f} to {max(gains):+.2f} points, "
                    f"{len(decided)} of {len(own)} decided ({max(row.n for row in own)} seeds)"
                )
    return f"{'; '.join(said)}." if said else ""


def _searched(stored: Stored) -> str:
    return tab_searched.answer(tab_searched.data(_content(stored, tab_searched.EXHIBIT)))


def _covered(stored: Stored) -> str:
    rows = fig_coverage.data(_content(stored, fig_coverage.EXHIBIT))
    genuine, planted = [row for row in rows if not row.fault], [row for row in rows if row.fault]
    highest = max(genuine, key=lambda row: row.rate)
    return (
        f"{sum(row.rejected for row in genuine)} of {len(genuine)} rates reject a bound; the highest rate is "
        f"{highest.rate:.4f} beside {highest.delta:g} ({highest.bound}). {sum(row.rejected for row in planted)} of "
        f"{len(planted)} planted faults are rejected."
    )


def _cost(stored: Stored) -> str:
    gates = tab_gates.data(_content(stored, tab_gates.EXHIBIT))
    missed = [gate.name for gate in gates if not gate.met]
    said = f"; missed: {', '.join(missed)}" if missed else ""
    return f"{len(gates) - len(missed)} of {len(gates)} limits are met{said}."


def _noticed(stored: Stored) -> str:
    summary = _content(stored, tab_mutation.EXHIBIT)
    score, low, high = map(tab_mutation.percent, (summary.automatic.score, summary.low, summary.high))
    return (
        f"{summary.hand.killed} of {summary.hand.mutants - summary.hand.explained} planted by hand; of a sample of "
        f"small automatic ones {score} % (95 % interval {low} to {high} %)."
    )


def _content(stored: Stored, exhibit: Exhibit[Any]) -> Any:
    assert isinstance(exhibit, FileExhibit)
    return stored.files[exhibit.file.name]


_QUESTIONS: tuple[tuple[str, Exhibit[Any], Callable[[Stored], str]], ...] = (
    ("Does the paper's Theorem 1 hold?", tab_ledger.EXHIBIT, _theorem),
    ("What do the theorems come to at the norms of trained networks?", tab_bounds.EXHIBIT, _bound),
    ("Can these networks be certified at all?", tab_certificates.EXHIBIT, _certified),
    ("Does flatness buy a better certificate?", tab_certificates.EXHIBIT, _better),
    ("And by other losses than 0-1?", tab_losses.EXHIBIT, _certified_otherwise),
    ("Do the flat part and its own aggregation help, at one learning rate?", tab_one_setting.EXHIBIT, _one_setting),
    ("And when every method has the same search?", tab_searched.EXHIBIT, _searched),
    ("Are the printed bounds violated more often than they may be?", fig_coverage.EXHIBIT, _covered),
    ("Does the step cost what it must?", tab_gates.EXHIBIT, _cost),
    ("Do the tests notice faults in the core?", tab_mutation.EXHIBIT, _noticed),
)


def findings(stored: Stored) -> tuple[Finding, ...]:
    """Every question whose exhibit has rows."""
    return tuple(_answered(stored))


def _answered(stored: Stored) -> Iterator[Finding]:
    for question, exhibit, answer in _QUESTIONS:
        lacking = isinstance(exhibit, FileExhibit) and exhibit.file.name not in stored.files
        if not lacking and (text := answer(stored)):
            yield Finding(question, text, exhibit)


def markdown(found: tuple[Finding, ...]) -> str:
    """A list for the README."""
    texts = (f"- **{one.question}** {one.answer} ({one.exhibit.location})" for one in found)
    return "\n".join(
        textwrap.fill(text, WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
        for text in texts
    )
