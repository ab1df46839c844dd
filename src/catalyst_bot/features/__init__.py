"""Features: pure functions of a fixed window, one code for live, backtest and training."""
