"""The venue: one sans-IO matching engine for the backtest, the embedded broker and the exchange.

The engine is told prices and orders and answers with facts; it holds no clock and no randomness,
so that the same story always ends the same way.
"""
