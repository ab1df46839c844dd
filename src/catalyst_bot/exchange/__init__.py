"""An Alpaca-compatible paper exchange over the one matching engine."""
