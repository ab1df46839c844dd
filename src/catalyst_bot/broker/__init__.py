"""Ways to the market: each adapter turns order commands into facts."""
