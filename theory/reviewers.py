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


ANSWERS: tuple[Answer, ...] = ()
