"""The checks. They stand alone: no torch, none of the code whose mathematics they witness."""
