"""The three ways in which the core refuses: each says what, where, the value, the rule, the remedy."""


class FlatMTLError(Exception):
    """Base of all errors that the core raises on purpose.

    Args:
        what: the thing that is wrong, one clause.
        where: the argument, or the task and the parameter, that it concerns.
        value: what was found there.
        rule: what is demanded.
        remedy: what the caller can do.
    """

    def __init__(self, what: str, *, where: str, value: object, rule: str, remedy: str) -> None:
        self.what = what
        self.where = where
        self.value = value
        self.rule = rule
        self.remedy = remedy
        super().__init__(f"{what} [{where}]: got {value}. Rule: {rule}. Remedy: {remedy}.")


class InvalidInput(FlatMTLError, ValueError):
    """An argument breaks a rule that can be checked before anything is computed."""


class NonFinite(FlatMTLError, ArithmeticError):
    """A gradient holds NaN or infinity: the message names the task, the parameter and the count."""


class NotConverged(FlatMTLError, RuntimeError):
    """A small solver did not reach its certificate; or a stationary point was met under ``stationary="raise"``."""
