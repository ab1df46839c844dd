"""The engine: one pipeline, decide then evolve, for every mode."""
