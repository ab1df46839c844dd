"""Execution: an approved order is sent, watched, cancelled in time, and never sent twice."""
