"""What the core asks of the outside, one small Protocol each, with its promise as docstring.

Adapters are *fire and forget*: they take a command, never block and never raise to the caller;
what comes of it arrives later as a fact through the `Sink` they were given.
"""
