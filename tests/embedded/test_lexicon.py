from internal_kd.embedded import lexicon


def test_inflection():
    assert lexicon.past("chase") == "chased"
    assert lexicon.past("trick") == "tricked"
    assert lexicon.third_person("push") == "pushes"
    assert lexicon.third_person("guard") == "guards"


def test_hierarchy():
    assert [lexicon.above("robin"), lexicon.above("bird"), lexicon.above("animal")] == [
        "bird",
        "animal",
        None,
    ]
    assert set(lexicon.sisters("robin")) == {"crow", "sparrow", "raven", "pigeon"}


def test_every_word_has_one_meaning():
    verbs = [verb for pair in lexicon.VERBS for verb in pair]
    adjectives = [word for pair in lexicon.ADJECTIVES for word in pair]
    words = [*lexicon.NOUNS, *lexicon.SORT_OF, *lexicon.HIERARCHY, *verbs, *adjectives]
    assert len(words) == len(set(words))
