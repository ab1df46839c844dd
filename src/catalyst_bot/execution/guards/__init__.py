"""When to look at protections, halted symbols and splits; and what is remembered of them."""
