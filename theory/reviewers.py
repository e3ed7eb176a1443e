"""What public reviewers asked of the theory, and which statements answer it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Answer:
    """
    Args:
        identity: number of reviewer and question, such as R4.5.
        question, answer: in plain words.
        labels: statements of the blueprint that the answer rests on.
    """

    identity: str
    question: str
    labels: tuple[str, ...]
    answer: str


ANSWERS: tuple[Answer, ...] = ()
