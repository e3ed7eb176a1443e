"""Fig. 1 as a computed toy: two quadratic tasks in the plane, and where the methods go."""
