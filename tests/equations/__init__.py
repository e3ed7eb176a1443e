"""The step against closed forms, its twin, its laws and its edge cases; one test an equation of the paper."""
