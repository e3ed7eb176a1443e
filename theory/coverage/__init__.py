"""Whether the bounds hold as often as they promise, in simulated worlds whose risks are known exactly."""
