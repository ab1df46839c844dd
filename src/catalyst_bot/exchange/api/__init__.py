"""Requests and answers in Alpaca's words; thin over the market and the books."""
