"""The same steps and aggregators by others: TorchJD from the package index, and PyTorch written the obvious way."""
