"""Mutation testing: small faults are put into the core one at a time; the tests must notice each of them."""
