"""What a table or figure should be made from, in a file that is one of its inputs."""

import os
from dataclasses import dataclass
from pathlib import Path

from internal_kd import manifests

FOLDER, EXPECTED, RECORD = "provenance", "expected.json", "manifest.json"


@dataclass(frozen=True)
class ExpectedFile:
    """The content of a file that records what a table or figure should be made from.

    Attributes:
        text: as JSON, in one line.
        stamp: another one for each time that it should be made again, since Snakemake goes by the
            content of small files.
    """

    text: str
    stamp: str

    @property
    def digest(self) -> str:
        """Hash of what is expected."""
        return manifests.digest(self.text)

    def write(self, path: Path) -> None:
        """Write both, as a whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f"{path.name}.{os.getpid()}")
        partial.write_text(f"{self.text}\n{self.stamp}\n", encoding="utf-8")
        partial.replace(path)

    @classmethod
    def read(cls, path: Path) -> "ExpectedFile":
        """Read them.

        Raises:
            OSError, ValueError: there is no such file.
        """
        text, stamp = path.read_text(encoding="utf-8").splitlines()
        return cls(text, stamp)


def expected_file(results: str, product: str) -> str:
    """Path of what a table or figure should be made from, by its path below the results.

    Each has a folder of its own: Snakemake lists a folder once, when it meets the first file there,
    and takes one that is written later for missing.
    """
    return f"{results}/{FOLDER}/{product}/{EXPECTED}"


def record_of(expected: str | Path) -> Path:
    """Path of the manifest of the table or figure that has this file of expectations."""
    return Path(expected).with_name(RECORD)
