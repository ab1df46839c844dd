"""Walk forward: learn from a year, trade the next quarter, again and again, and judge the chain."""
