"""Survivors with a reason: the fault can not be told from the core by what the contract promises.

A key is the identity of a mutant (``python -m tests.mutation`` prints it); one that no longer exists fails a test.
"""

EXPLAINED = {
    "flatmtl_core/transaction.py:Buffers.restore: and and or: buffer is not None and copy is not None -> "
    "((buffer is not None) or (copy is not None)) #0": "the copy of a buffer is None exactly where the buffer is None",
    "flatmtl_core/report.py:_negative_share: constant: 0 -> (-1) #1": "the first and the last of a list of one",
    "flatmtl_core/perturb.py:: arithmetic: 2.0**96 -> 2.0*96 #0": "a factor that acts through two powers of two, exact "
    "wherever the entries are, gives the same sums also where one factor would have done",
}
