"""Settings of the index of a study's results."""

from dataclasses import dataclass
from typing import Literal

from internal_kd.specs.reports import ReportSettings

ItemKind = Literal["table", "figure", "file"]


@dataclass(frozen=True)
class IndexItem:
    """A table, figure or file of the index.

    Attributes:
        kind: how it is shown.
        name: part of its address on the page.
        title: its heading.
        file: path below the results.
        caption: name of a caption's file, without suffix.
        more: paths of other files to link to.
    """

    kind: ItemKind
    name: str
    title: str
    file: str
    caption: str
    more: tuple[str, ...] = ()


@dataclass(frozen=True)
class IndexSection:
    """A section of the index."""

    title: str
    items: tuple[IndexItem, ...]


@dataclass(frozen=True)
class LeftOut:
    """What a study cannot have, and why."""

    name: str
    why: str


@dataclass(frozen=True, kw_only=True)
class IndexSettings(ReportSettings):
    """Settings of the index: what it shows, and what the study cannot have."""

    sections: tuple[IndexSection, ...]
    missing: tuple[LeftOut, ...]
