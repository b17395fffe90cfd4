"""A cache of facts about source files: parsing them all takes a second of every dry run.

It is in Snakemake's folder of the working directory, like all that can be rebuilt. Its keys are
hashes of the texts, so that an edited file is read again.
"""

import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

FOLDER = Path(".snakemake")
NOTES = FOLDER / "internal_kd" / "sources.json"


@dataclass(frozen=True)
class SourceFacts:
    """What counts of a module's text.

    Attributes:
        digest: of the code without comments, docstrings and layout.
        imports: dotted names that it may load.
        data: files beside it that count as code.
    """

    digest: str
    imports: tuple[str, ...]
    data: tuple[str, ...]


class KnownSources:
    """Facts by a hash of the text they were read out of.

    Args:
        reader: identifies what reads the facts; notes of another reader count for nothing.
    """

    def __init__(self, reader: str) -> None:
        self.reader = reader
        self._new = False

    def get(self, key: str) -> SourceFacts | None:
        """Facts noted before, if there are any."""
        return self._facts.get(key)

    def add(self, key: str, facts: SourceFacts) -> None:
        """Take facts up, to be noted by `keep`."""
        self._facts[key] = facts
        self._new = True

    def keep(self) -> None:
        """Note what is new, if Snakemake has a folder here and it can be written to."""
        if not (self._new and FOLDER.is_dir()):
            return
        facts = {key: asdict(found) for key, found in self._facts.items()}
        partial = NOTES.with_name(f"{NOTES.name}.{os.getpid()}")
        with suppress(OSError):
            NOTES.parent.mkdir(exist_ok=True)
            partial.write_text(
                json.dumps({"reader": self.reader, "facts": facts}), encoding="utf-8"
            )
            partial.replace(NOTES)
        self._new = False

    @cached_property
    def _facts(self) -> dict[str, SourceFacts]:
        try:
            noted = json.loads(NOTES.read_text(encoding="utf-8"))
            if noted["reader"] != self.reader:
                return {}
            return {key: _facts_of(noted_facts) for key, noted_facts in noted["facts"].items()}
        except (OSError, ValueError, KeyError, TypeError):
            return {}


def _facts_of(noted_facts: dict[str, list[str] | str]) -> SourceFacts:
    return SourceFacts(
        str(noted_facts["digest"]), tuple(noted_facts["imports"]), tuple(noted_facts["data"])
    )
