"""PAC-Bayes certificates of trained multi-task networks: data-dependent priors, Gaussian posteriors, 0-1 loss."""
