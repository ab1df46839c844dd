"""Portfolio: the ledger of cash and positions, and what the account made of it."""
