"""Learning: the bot's trading as arrays and compiled kernels; nothing that trades imports it."""
