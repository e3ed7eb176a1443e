"""The problems that are trained on: real image files, read and verified, and the two-task overlays made from them."""
