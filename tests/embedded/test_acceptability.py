from random import Random

from internal_kd.embedded import tasks
from internal_kd.embedded.events import Event, Phrase
from internal_kd.embedded.grammar import Speaker
from internal_kd.embedded.tasks import Scene

SCENE = Scene(
    Event(0, Phrase("miner"), Phrase("robin", plural=True)), agent_near=Phrase("dog", True)
)


def _all(rule, good):
    texts = set()
    for seed in range(300):
        text = rule(SCENE, Speaker(Random(seed), 0.0), good)
        texts.add(text.replace("behind", "near").replace("beside", "near"))
    return texts


def test_agreement():
    good, bad = _all(tasks.agreement, True), _all(tasks.agreement, False)
    assert good == {
        "the miner near the dogs helps the robins .",
        "it is the robins that the miner near the dogs helps .",
        "does the miner near the dogs help the robins ?",
        "the robins were helped by the miner near the dogs .",
    }
    assert bad == {
        "the miner near the dogs help the robins .",
        "it is the robins that the miner near the dogs help .",
        "do the miner near the dogs help the robins ?",
        "the robins was helped by the miner near the dogs .",
    }


def test_verb_form():
    assert _all(tasks.verb_form, True) == {
        "did the miner near the dogs help the robins ?",
        "were the robins helped by the miner near the dogs ?",
        "was it the miner near the dogs that helped the robins ?",
    }
    assert "did the miner near the dogs helped the robins ?" in _all(tasks.verb_form, False)


def test_gap():
    good = _all(tasks.gap, True)
    assert "which robins did the miner near the dogs help ?" in good
    assert "it was the robins that the miner near the dogs helped ." in good
    assert all(len(text.split()) > 10 for text in _all(tasks.gap, False))


def test_order_exchanges_two_neighbours():
    good, bad = _all(tasks.order, True), _all(tasks.order, False)
    assert "the miner near the dogs helps the robins ." in good
    assert "the miner near the dogs the helps robins ." in bad
    assert not good & bad


def test_bystanders_have_the_other_number():
    for seed in range(200):
        scene = tasks.sample_scene(Speaker(Random(seed)), "train")
        if scene.agent_near:
            assert scene.agent_near.plural is not scene.event.agent.plural
