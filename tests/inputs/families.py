"""Every family of encoders that is tried, as a tiny random model."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from transformers import PreTrainedModel

from tests.inputs.checkpoints import checkpoint, random_model
from tests.jobs.tiny_study import tiny_tokenizer


@dataclass(frozen=True)
class Family:
    """How a tiny model of a family is made and cut.

    Attributes:
        name: of its classes in Transformers, without the task.
        changes: of the usual tiny config.
        pad: number of the padding token.
        init, layer_map: of students of two of its four layers.
        quick: whether it is tried with every change.
    """

    name: str
    changes: dict[str, Any] = field(default_factory=dict)
    pad: int = 0
    init: Any = "upper"
    layer_map: Any = "uniform"
    quick: bool = False

    def model(self, layers: int) -> PreTrainedModel:
        """A random classifier; large weights make attention far from uniform."""
        changes = {"pad_token_id": self.pad, "initializer_range": 0.3, **self.changes}
        depth = "n_layers" if self.name == "DistilBert" else "num_hidden_layers"
        return random_model(self.name, "ForSequenceClassification", **{depth: layers}, **changes)

    def checkpoint(self, folder: Path, task: str = "Model") -> Path:
        """A random model with a tokenizer."""
        checkpoint(folder, self.name, task, pad_token_id=self.pad, **self.changes)
        tiny_tokenizer(self.pad).save_pretrained(folder)
        return folder


ONE_SEGMENT = {"type_vocab_size": 1}
RELATIVE = {"relative_attention": True, "pos_att_type": ["p2c", "c2p"]}
DEBERTA_V3 = {
    **RELATIVE,
    "position_buckets": 8,
    "share_att_key": True,
    "norm_rel_ebd": "layer_norm",
    "position_biased_input": False,
}

WORKING = {
    "bert": Family("Bert", quick=True),
    "camembert": Family("Camembert", ONE_SEGMENT, pad=1),
    "data2vec-text": Family("Data2VecText", ONE_SEGMENT, pad=1),
    "deberta": Family("Deberta", RELATIVE),
    "deberta-v2": Family("DebertaV2", DEBERTA_V3, quick=True),
    "distilbert": Family("DistilBert"),
    "electra": Family("Electra", {"embedding_size": 8}),
    "ernie": Family("Ernie"),
    "eurobert": Family("EuroBert", {"num_key_value_heads": 1}),
    "gte": Family("Gte"),
    "jina_embeddings_v3": Family("JinaEmbeddingsV3", pad=1),
    "megatron-bert": Family("MegatronBert"),
    "modernbert": Family("ModernBert", init="lower", layer_map=[1, 2], quick=True),
    "mpnet": Family("MPNet", pad=1),
    "nomic_bert": Family("NomicBert"),
    "rembert": Family("RemBert", {"input_embedding_size": 8}),
    "roberta": Family("Roberta", ONE_SEGMENT, pad=1),
    "roberta-prelayernorm": Family("RobertaPreLayerNorm", ONE_SEGMENT, pad=1),
    "roformer": Family("RoFormer", {"embedding_size": 8}),
    "xlm-roberta": Family("XLMRoberta", ONE_SEGMENT, pad=1),
    "xlm-roberta-xl": Family("XLMRobertaXL", ONE_SEGMENT, pad=1),
    "xmod": Family("Xmod", {**ONE_SEGMENT, "default_language": "en_XX"}, pad=1),
}

REFUSED = {
    "bart": Family("Bart"),
    "deberta-v2 with a convolution": Family("DebertaV2", {**DEBERTA_V3, "conv_kernel_size": 3}),
    "gpt2": Family("GPT2"),
    "llama": Family("Llama"),
    "luke": Family("Luke", {"entity_vocab_size": 8, "entity_emb_size": 8}),
    "modernbert-decoder": Family("ModernBertDecoder"),
    "opt": Family("OPT"),
    "squeezebert": Family("SqueezeBert", {"embedding_size": 16}),
    "t5": Family("T5"),
    "tapas": Family("Tapas"),
    "xlm": Family("XLM"),
}
