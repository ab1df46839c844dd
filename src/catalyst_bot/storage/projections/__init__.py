"""Reducers: which rows of the read tables a message writes.

Each module owns a few tables and lists its handlers in `REDUCERS`. A handler is a pure function
from a record to SQL statements with their values; only `projector` runs them.
"""
