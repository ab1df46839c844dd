"""Tools for people who work on the bot; nothing here ships with it."""
