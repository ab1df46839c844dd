"""Accounts: their orders, events, equity and watchlists, kept in one file."""
