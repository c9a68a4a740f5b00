"""How fast this library is, as ratios to what a user would have used instead: `python -m benchmarks`."""
