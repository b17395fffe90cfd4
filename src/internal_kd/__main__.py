"""The program `internal-kd`, also called as `python -m internal_kd`."""

import sys
from collections.abc import Sequence
from importlib import import_module

# Modules are imported only when their command is called.
COMMANDS = {
    "plan": "internal_kd.commands.plan:main",
    "progress": "internal_kd.commands.progress:main",
}
USER_ERROR = 2


def main(argv: Sequence[str] | None = None) -> int:
    """Call a command with the rest of the arguments.

    Args:
        argv: arguments without the program's name; those of the process if None.

    Returns:
        The exit status.
    """
    words = sys.argv[1:] if argv is None else list(argv)
    known = ", ".join(COMMANDS)
    if words[:1] in (["-h"], ["--help"]):
        print(
            f"usage: internal-kd COMMAND ...\n\ncommands: {known}; COMMAND --help has its options"
        )
        return 0
    if not words or words[0] not in COMMANDS:
        given = f"unknown command '{words[0]}'" if words else "a command is missing"
        print(f"error: {given}; known: {known}", file=sys.stderr)
        return USER_ERROR
    module, _, function = COMMANDS[words[0]].partition(":")
    status: int = getattr(import_module(module), function)(words[1:])
    return status


if __name__ == "__main__":
    sys.exit(main())
