"""Programs that train the paper's models and keep what they measured."""
