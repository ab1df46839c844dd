"""The error tree. A refusal is not an error: it is a decision with a reason."""


class CatalystError(Exception):
    """Base of every error this project raises on purpose."""


class ConfigError(CatalystError):
    """The configuration is wrong; names file, key, reason and remedy. Exit code 3."""


class SourceUnreachable(CatalystError):
    """A configured source or broker cannot be reached. Exit code 4."""


class BadData(CatalystError):
    """Input from outside breaks its schema or a sanity rule; names the input and the place."""


class BrokerRefused(CatalystError):
    """The broker said no; carries its reason."""


class OutcomeUnknown(CatalystError):
    """We cannot know whether the broker took the order: look it up, never send it again blindly."""


class JournalDamaged(CatalystError):
    """A journal row does not match its checksum or the chain; names the sequence number."""


class JournalUnwritable(CatalystError):
    """The journal took no more: stop at once, for nothing is traded without it. Exit code 6."""


class InvariantViolated(CatalystError):
    """Our own bug: something that must never happen did. Exit code 6."""
