"""Ways to decide a statement: algebra, smt, interval, integers, enumeration, simulation.

Each refutes a false twin of every lemma that it proves: a check that can not say no is no evidence.
"""
