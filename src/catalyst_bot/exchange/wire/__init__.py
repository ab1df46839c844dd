"""How Alpaca writes: bodies, errors, fields of an order, pages, and the connection itself."""
