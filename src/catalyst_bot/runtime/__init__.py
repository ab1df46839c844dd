"""The runtime: facts in, journal first, effects after; synchronous and asyncio over one pipeline."""
