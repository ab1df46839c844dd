"""The market as of any time: recorded or generated bars, trades inside them, news, hours, clock."""
