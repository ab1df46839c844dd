"""The runtime: facts in, journal first, effects after; two loops over one pipeline."""
