"""The environments in which agents learn to trade, over the compiled episode kernel."""
