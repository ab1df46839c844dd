"""Policies: who turns an observation into votes. The trading process loads nothing pickled."""
