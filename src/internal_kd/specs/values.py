"""Kinds of values that a config has: what they may be, and how a message completes "must be ...".

Bounds are checked wherever such a value is decoded; what `extra_json_schema` says counts for the
config alone. A format is one of `study.schema`.
"""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Keys of the config that stand together.

    The section `Attributes` of a class's docstring describes its keys, in the config's schema too.
    A key that may be left out has a default; where the config lacks it, so has its file.
    """


def set_keys(section: Section) -> tuple[str, ...]:
    """The keys that a section has, without those that were left out."""
    return tuple(key for key in section.__struct_fields__ if getattr(section, key) is not UNSET)


# A field that gets its value from elsewhere and is no key of the config.
NO_KEY = Meta(extra={"key": False})

# Null empties a mapping that an overlay would only add to.
EMPTIED_BY_NULL = Meta(extra_json_schema={"type": ["object", "null"]})
# An entry that says nothing is a mistake.
NOT_EMPTY = Meta(extra_json_schema={"minProperties": 1})

Name = Annotated[
    str,
    Meta(
        extra_json_schema={
            "format": "name",
            "expected": "a name of letters, digits and '._-+=@' that begins with a letter or digit "
            "and is no longer than 100 bytes",
        }
    ),
]
Text = Annotated[
    str,
    Meta(
        extra_json_schema={
            "format": "text",
            "expected": "a text of one line, without control characters and no longer than 200 "
            "characters",
        }
    ),
]
FilePath = Annotated[str, Meta(extra_json_schema={"format": "path"})]
Source = Annotated[
    FilePath | None,
    Meta(
        extra_json_schema={
            "expected": "a folder or a name on the hub that begins with neither '-' nor '~' and "
            "has no control characters, or null"
        }
    ),
]

Count = Annotated[int, Meta(ge=1)]
Index = Annotated[int, Meta(ge=0)]
Seed = Annotated[int, Meta(ge=0, le=4294967295)]
Length = Annotated[int, Meta(ge=8, le=512)]
Positive = Annotated[float, Meta(gt=0)]
NotNegative = Annotated[float, Meta(ge=0)]
Share = Annotated[float, Meta(ge=0, le=1)]
Weight = Annotated[float, Meta(gt=0, le=1000000)]

EACH_ONCE = Meta(extra_json_schema={"uniqueItems": True})
Names = Annotated[tuple[Name, ...], Meta(min_length=1), EACH_ONCE]
NamesOrAll = Annotated[
    Names | None, Meta(extra_json_schema={"expected": "a list of names, or null for all"})
]
Seeds = Annotated[tuple[Seed, ...], Meta(min_length=1), EACH_ONCE]
