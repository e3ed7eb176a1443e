"""What is said of the step itself, and the paper's equations that lead to it."""
