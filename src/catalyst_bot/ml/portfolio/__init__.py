"""One account over a whole history: by rule, models and chance, and what to hold beside it."""
