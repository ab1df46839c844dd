"""The trading vocabulary: plain values, messages, money, time, ids and errors (stdlib only)."""
