"""Alerts to people: an outbox that is a fold of the journal, and channels to deliver it to."""
