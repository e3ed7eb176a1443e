"""Measures of trained multi-task networks, at the unperturbed weights and in evaluation mode."""
