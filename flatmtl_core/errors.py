"""The three ways in which the core refuses: each says what, where, the value, the rule, the remedy."""

import math
from collections.abc import Sequence


class FlatMTLError(Exception):
    """Base of all errors that the core raises on purpose.

    Args:
        what: the thing that is wrong, one clause.
        where: the argument, or the task and the parameter, that it concerns.
        value: what was found there.
        rule: what is demanded.
        remedy: what the caller can do.
    """

    def __init__(self, what: str, where: str, value: object, rule: str, remedy: str) -> None:
        self.what, self.where, self.value, self.rule, self.remedy = what, where, value, rule, remedy
        super().__init__(f"{what} [{where}]: got {value}. Rule: {rule}. Remedy: {remedy}.")


class InvalidInput(FlatMTLError, ValueError):
    """An argument breaks a rule that can be checked before anything is computed."""


class NonFinite(FlatMTLError, ArithmeticError):
    """A gradient holds NaN or infinity: the message names the task, the parameter and the count."""


class NotConverged(FlatMTLError, RuntimeError):
    """A small solver did not reach its certificate; or a stationary point was met under ``stationary="raise"``."""


def check_choice(where: str, value: object, choices: Sequence[object]) -> None:
    """Refuse an option that is not one of the choices."""
    if value not in choices:
        raise InvalidInput("the option is unknown", where, repr(value), f"one of {tuple(choices)}", "name one of them")


def check_number(where: str, value: float, *, positive: bool = False, most: float = math.inf) -> None:
    """Refuse a number that is not finite, negative, above ``most``, or (if ``positive``) zero."""
    if not math.isfinite(value) or not 0 <= value <= most or (positive and value == 0):
        rule = f"finite, {where} {'>' if positive else '>='} 0" + (f", at most {most}" if most < math.inf else "")
        raise InvalidInput("the number can not be used", where, value, rule, "see the class or function that takes it")
