"""Benchmarks: every figure is a ratio to something that is run beside it, in turns. See `make bench`."""
