"""Speed, measured and printed as one table by `python -m benchmarks`; never asserted."""
