"""Signals: a catalyst waits for the market, meets it, and passes the gates or is dropped."""
