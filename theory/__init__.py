"""Theorem 1 taken apart: every step a claim with a label, every claim checked by a kernel that can say no."""
