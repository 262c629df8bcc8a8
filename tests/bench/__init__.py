"""Benchmarks on a real API server, each beside a floor or a bound that is measured in the same run."""
