"""Tests of the house itself: each rule is a function that lists violations, and is shown a planted one."""
