"""The paper's tables and figures from stored results, the paper's numbers beside ours: no torch, no training."""
