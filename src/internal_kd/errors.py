"""The one exception for mistakes that a user can mend."""

LONGEST_REASON = 200


class UserError(Exception):
    """A mistake in config, data or environment, told in one sentence that names the remedy."""


class Interrupted(Exception):
    """The process was asked to end, and ended with a checkpoint written."""


def reason(error: BaseException) -> str:
    """What a library has to say about an error, in one line of bearable length."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= LONGEST_REASON else f"{text[:LONGEST_REASON]} ..."
