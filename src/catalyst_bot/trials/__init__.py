"""Deterministic simulation: the real bot against a world of faults, all drawn from one seed."""
