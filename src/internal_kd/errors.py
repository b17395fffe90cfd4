"""The one exception for mistakes that a user can mend."""


class UserError(Exception):
    """A mistake in config, data or environment, told in one sentence that names the remedy."""
