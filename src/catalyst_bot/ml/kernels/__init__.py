"""Plain functions over numbers and arrays, compiled when a history is played; see `compiled`."""
