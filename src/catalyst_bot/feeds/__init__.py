"""Where headlines come from: live feeds, recorded files. Foreign formats end here.

Parsers are functions from bytes to headlines and problems; only the poller touches the network.
"""
