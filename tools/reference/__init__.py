"""`docs/reference/*.md` and `catalyst.toml`, written from the code: `python -m tools.reference`.

What a program can say about itself is never typed by hand; a test fails when a page is stale.
Each module is one page: its `page()` returns the text.
"""
