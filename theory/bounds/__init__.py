"""The quantities of the theorems as numbers."""
