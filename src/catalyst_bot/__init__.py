"""catalyst_bot: reads market-moving news, decides, guards every order, trades on paper."""

__version__ = "0.1.0"
