"""The words of the embedded language: nouns in a hierarchy, verbs and adjectives in pairs.

Every content word is regular, so that the past tense and the participle share one form and a
plural is the singular plus "s".
"""

HIERARCHY: dict[str, dict[str, tuple[str, ...]]] = {
    "person": {
        "worker": ("baker", "plumber", "miner", "farmer", "tailor"),
        "artist": ("painter", "singer", "dancer", "sculptor", "drummer"),
        "scholar": ("chemist", "historian", "linguist", "geologist", "student"),
    },
    "animal": {
        "dog": ("poodle", "spaniel", "terrier", "beagle", "collie"),
        "bird": ("robin", "crow", "sparrow", "raven", "pigeon"),
        "insect": ("beetle", "cricket", "hornet", "moth", "wasp"),
    },
}

VERBS: tuple[tuple[str, str], ...] = (
    ("help", "assist"),
    ("chase", "pursue"),
    ("praise", "commend"),
    ("greet", "welcome"),
    ("follow", "trail"),
    ("warn", "alert"),
    ("watch", "observe"),
    ("push", "shove"),
    ("scold", "rebuke"),
    ("trick", "fool"),
    ("guard", "protect"),
    ("heal", "cure"),
    ("mock", "ridicule"),
    ("admire", "respect"),
    ("calm", "soothe"),
    ("annoy", "irritate"),
)

ADJECTIVES: tuple[tuple[str, str], ...] = (
    ("happy", "glad"),
    ("sad", "gloomy"),
    ("clever", "smart"),
    ("angry", "furious"),
    ("tired", "weary"),
    ("rich", "wealthy"),
    ("small", "little"),
    ("quiet", "silent"),
)

PLACES: tuple[str, ...] = (
    "in the garden",
    "in the kitchen",
    "in the forest",
    "in the harbour",
    "in the library",
    "at the market",
    "at the station",
    "at the museum",
    "at the castle",
    "at the theatre",
)

TIMES: tuple[str, ...] = (
    "on monday",
    "on tuesday",
    "on thursday",
    "on friday",
    "on sunday",
    "at dawn",
    "at noon",
    "at dusk",
)

PREPOSITIONS: tuple[str, ...] = ("near", "behind", "beside")

NOUNS: tuple[str, ...] = tuple(
    noun for kinds in HIERARCHY.values() for nouns in kinds.values() for noun in nouns
)
KIND_OF: dict[str, str] = {
    noun: kind for kinds in HIERARCHY.values() for kind, nouns in kinds.items() for noun in nouns
}
SORT_OF: dict[str, str] = {kind: sort for sort, kinds in HIERARCHY.items() for kind in kinds}

FUNCTION_WORDS: tuple[str, ...] = (
    *("the", "was", "were", "did", "do", "does", "by", "that", "it", "is", "which", "where"),
    *("when", ",", ".", "?"),
)


def past(verb: str) -> str:
    """Past tense and participle: "chase" gives "chased", "trick" gives "tricked"."""
    return verb + "d" if verb.endswith("e") else verb + "ed"


def third_person(verb: str) -> str:
    """Present tense, third person singular: "push" gives "pushes"."""
    return verb + "es" if verb.endswith(("sh", "ch")) else verb + "s"


def plural(noun: str) -> str:
    """ "wasp" gives "wasps"."""
    return noun + "s"


def above(noun: str) -> str | None:
    """The next more general noun ("robin", "bird", "animal"), or None at the top."""
    return KIND_OF.get(noun) or SORT_OF.get(noun)


def sisters(noun: str) -> tuple[str, ...]:
    """The other nouns with the same next more general noun (for a leaf noun)."""
    kind = KIND_OF[noun]
    return tuple(other for other in HIERARCHY[SORT_OF[kind]][kind] if other != noun)


def vocabulary() -> set[str]:
    """All word types the grammar can produce."""
    nouns = {*NOUNS, *SORT_OF, *HIERARCHY}
    verbs = [verb for pair in VERBS for verb in pair]
    words = {*FUNCTION_WORDS, *PREPOSITIONS}
    words |= nouns | {plural(noun) for noun in nouns}
    words |= {form for verb in verbs for form in (verb, past(verb), third_person(verb))}
    words |= {adjective for pair in ADJECTIVES for adjective in pair}
    words |= {word for adjunct in (*PLACES, *TIMES) for word in adjunct.split()}
    return words
