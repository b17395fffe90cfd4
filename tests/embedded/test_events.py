from collections import Counter
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from internal_kd.embedded import events
from internal_kd.embedded.events import Event, Phrase

EVENT = Event(0, Phrase("miner", adjective=2), Phrase("robin", plural=True), "at the market", None)
SEEDS = st.integers(0, 10**6)


def test_sides_take_their_shares():
    random = Random(0)
    sample = []
    for _ in range(2000):
        agent, patient = random.sample(events.lexicon.NOUNS, 2)
        sample.append(Event(random.randrange(16), Phrase(agent), Phrase(patient)).side())
    counts = Counter(sample)
    for name, share in events.SIDES:
        assert abs(counts[name] / 2000 - share / 100) < 0.06


@given(SEEDS)
def test_wording_and_roles_do_not_change_the_side(seed):
    event = events.sample_event(Random(seed), "test")
    assert event.side() == "test"
    assert events.swap_roles(event, Random(seed)).side() == "test"
    assert replace(event, place=None, time="at dawn").skeleton() == event.skeleton()


@given(SEEDS, st.sampled_from(sorted(events.CHANGES)))
def test_a_changed_event_neither_follows_nor_is_followed(seed, kind):
    random = Random(seed)
    event = events.sample_event(random, "train")
    changed = events.CHANGES[kind](event, random)
    if changed is not None and changed != event:
        assert not (events.follows(event, changed) and events.follows(changed, event))
    if kind in ("swap", "participant", "verb"):
        assert changed is not None
        assert not events.follows(event, changed)
        assert not events.follows(changed, event)


@given(SEEDS)
def test_change_stays_on_its_side(seed):
    random = Random(seed)
    event = events.sample_event(random, "validation")
    changed = events.change(event, random, dict.fromkeys(events.CHANGES, 1.0))
    assert changed != event
    assert changed.side() == "validation"


@given(SEEDS)
def test_simplified_and_generalised_events_follow(seed):
    random = Random(seed)
    event = events.sample_event(random, "corpus")
    looser = events.generalise(events.simplify(event, random, 0.5), random, 0.5)
    assert events.follows(event, looser)
    assert events.follows(looser, event) == (looser == event)


@pytest.mark.parametrize(
    ("conclusion", "expected"),
    [
        (EVENT, True),
        (replace(EVENT, patient=Phrase("animal", plural=True)), True),
        (replace(EVENT, patient=Phrase("insect", plural=True)), False),
        (replace(EVENT, patient=Phrase("robin")), False),
        (replace(EVENT, agent=Phrase("person")), True),
        (replace(EVENT, agent=Phrase("miner", adjective=3)), False),
        (replace(EVENT, place=None), True),
        (replace(EVENT, place="at the castle"), False),
        (replace(EVENT, time="at noon"), False),
        (replace(EVENT, verb=1), False),
        (replace(EVENT, agent=EVENT.patient, patient=EVENT.agent), False),
    ],
)
def test_follows(conclusion, expected):
    assert events.follows(EVENT, conclusion) is expected


def test_move_adjective():
    moved = events.move_adjective(EVENT, Random(0))
    assert moved.agent == Phrase("miner")
    assert moved.patient == Phrase("robin", plural=True, adjective=2)
    assert events.move_adjective(replace(EVENT, agent=Phrase("miner")), Random(0)) is None
