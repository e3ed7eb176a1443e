"""Cheaper relatives of the sharpness-aware step: other methods, with what they cost and what they lose."""
