"""Readers outside the core: a language model over HTTP, FinBERT on this machine."""
