"""The corrected theorems, line by line."""
