"""A tiny sentence encoder with drawn weights, in the files of a real one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from catalyst_bot.texts.encoder import CONFIG, VOCABULARY, WEIGHTS, Vectors

SIZE, INNER, HEADS, LAYERS, PLACES = 24, 48, 4, 3, 128
# fmt: off
WORDS = (
    "acme", "beta", "wins", "loses", "order", "lawsuit", "shares", "surge", "plunge", "on",
    "strong",
    "weak", "results", "quarter", "after", "a", "large", "from", "utility", "over", "its", "pumps",
    "to", "hold", "annual", "meeting", "in", "may", "names", "the", "city", "of", "new", "office",
)
# fmt: on
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")


def tiny_encoder(folder: Path, *, seed: int = 0, **config: Any) -> Path:
    """Write an encoder of a few thousand numbers; `config` changes what its configuration says."""
    folder.mkdir(parents=True, exist_ok=True)
    pytest.importorskip("tokenizers", reason="needs make setup-sentences")
    (folder / VOCABULARY).write_text("".join(f"{piece}\n" for piece in (*SPECIAL, *WORDS)))
    save_file(weights(seed), folder / WEIGHTS)
    said = {
        "model_type": "bert",
        "hidden_act": "gelu",
        "num_attention_heads": HEADS,
        "num_hidden_layers": LAYERS,
        "hidden_size": SIZE,
        "intermediate_size": INNER,
        "max_position_embeddings": PLACES,
        "type_vocab_size": 2,
        "layer_norm_eps": 1e-12,
    }
    (folder / CONFIG).write_text(json.dumps(said | config))
    return folder


def weights(seed: int) -> dict[str, Vectors]:
    """Draw the weights of a BERT by their published names."""
    generator = np.random.default_rng(seed)

    def drawn(*shape: int) -> Vectors:
        return generator.normal(0, 0.3, shape).astype(np.float32)

    found = {
        "embeddings.word_embeddings.weight": drawn(len(SPECIAL) + len(WORDS), SIZE),
        "embeddings.position_embeddings.weight": drawn(PLACES, SIZE),
        "embeddings.token_type_embeddings.weight": drawn(2, SIZE),
    }
    shapes = {
        "attention.self.query": (SIZE, SIZE),
        "attention.self.key": (SIZE, SIZE),
        "attention.self.value": (SIZE, SIZE),
        "attention.output.dense": (SIZE, SIZE),
        "intermediate.dense": (INNER, SIZE),
        "output.dense": (SIZE, INNER),
    }
    for layer in range(LAYERS):
        for name, (rows, columns) in shapes.items():
            found[f"encoder.layer.{layer}.{name}.weight"] = drawn(rows, columns)
            found[f"encoder.layer.{layer}.{name}.bias"] = drawn(rows)
    norms = [f"encoder.layer.{layer}.{name}" for layer in range(LAYERS) for name in _NORMS]
    for name in ("embeddings.LayerNorm", *norms):
        found[f"{name}.weight"], found[f"{name}.bias"] = 1 + drawn(SIZE), drawn(SIZE)
    return found


_NORMS = ("attention.output.LayerNorm", "output.LayerNorm")
