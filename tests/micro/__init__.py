"""Micro-benchmarks: each against something run beside it, so that only a tenfold slip fails."""
