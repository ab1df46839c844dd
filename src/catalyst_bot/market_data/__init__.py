"""Prices from recordings and from a generator: sessions, bars, import, quality, and the port."""
