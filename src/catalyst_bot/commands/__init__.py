"""The groups of commands of `catalyst-bot`, one a file: they read flags and say what came of it."""
