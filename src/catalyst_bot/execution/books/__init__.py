"""Our books against the broker's: looks, doubts, what a person did, mismatches."""
