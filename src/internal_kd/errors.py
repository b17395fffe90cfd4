"""The one exception for mistakes that a user can mend."""


class UserError(Exception):
    """A mistake in config, data or environment, told in one sentence that names the remedy."""


class Interrupted(Exception):
    """The process was asked to end, and ended with a checkpoint written."""
