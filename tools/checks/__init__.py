"""The house rules, as checks that fail instead of sentences to remember.

Each module has one function `check(root)` that takes the repository's root and returns findings:
one line each, saying where, what, and how to fix it. Run all: `python -m tools.checks`.
"""
