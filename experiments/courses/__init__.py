"""Along one training run: what a certificate says beside the test error, and whether the Gaussian premise holds."""
