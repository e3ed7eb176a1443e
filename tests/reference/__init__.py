"""Slow and obvious counterparts of the code under test; nothing here imports ``flatmtl_core``."""
