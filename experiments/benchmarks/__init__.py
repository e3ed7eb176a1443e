"""Cost of the step and of the aggregators, as ratios of interleaved runs."""
