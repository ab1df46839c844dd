"""Faults on demand: rules, when they fire, and how an answer then fails."""
