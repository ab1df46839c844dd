"""The three WebSockets: trade updates, market data, news."""
