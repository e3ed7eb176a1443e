"""Survivors with a reason: the fault can not be told from the core by what the contract promises.

A key is the identity of a mutant (``python -m tests.mutation`` prints it); one that no longer exists fails a test.
"""

EXPLAINED: dict[str, str] = {}
