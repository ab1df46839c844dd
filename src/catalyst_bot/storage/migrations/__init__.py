"""Revisions of the schema, in order.

A revision that changes a read table empties `projector_checkpoint`, and every read table: opening
the journal then writes them again. The table `journal` only ever gains columns.
"""
