"""Talking to Alpaca: who we are, one polite request, the account. Orders and prices build on it."""
