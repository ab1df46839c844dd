"""One module for each format: a pure function from bytes to a `Page`; `table` lists all of them.

What a service thinks of an item (sentiment, scores) is an answer, not news, and is never read.
"""
