"""Readers of the answers of news services, one file a shape; `table` lists all of them.

What a service thinks of an item (sentiment, scores) is an answer, not news, and is never read.
"""
