"""One web page that shows what the bot does and why, and lets a person halt it."""
