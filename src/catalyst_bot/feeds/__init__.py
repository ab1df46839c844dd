"""Where headlines come from: live feeds, recorded files. Foreign formats end here.

Readers are functions from bytes to headlines and problems; pollers and streams touch the network.
"""
