"""Benchmarks: ratios measured side by side in one run, on synthetic data that says so."""
