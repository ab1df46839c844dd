"""Recordings fetched from where they are published, into the catalog by the way every file goes."""
