"""The sentence encoder: the numbers of another implementation, and what it refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from catalyst_bot.domain.errors import BadData, ConfigError
from catalyst_bot.texts import encoder
from catalyst_bot.texts.encoder import SentenceEncoder, folder_of, is_installed
from tests.encoders import HEADS, LAYERS, SIZE, tiny_encoder, weights

TEXTS = ["Acme wins a large order", "Acme loses", "", "Shares plunge after a weak quarter in May"]


def by_torch(tokens: list[int], seed: int) -> Any:
    """The same network by the functions of torch."""
    torch = pytest.importorskip("torch")
    functional = torch.nn.functional
    given = {name: torch.tensor(each) for name, each in weights(seed).items()}

    def linear(values: Any, name: str) -> Any:
        return functional.linear(values, given[f"{name}.weight"], given[f"{name}.bias"])

    def norm(values: Any, name: str) -> Any:
        own = given[f"{name}.weight"], given[f"{name}.bias"]
        return functional.layer_norm(values, (SIZE,), *own, eps=1e-12)

    hidden = given["embeddings.word_embeddings.weight"][tokens]
    hidden = hidden + given["embeddings.position_embeddings.weight"][: len(tokens)]
    hidden = hidden + given["embeddings.token_type_embeddings.weight"][0]
    hidden, means = norm(hidden, "embeddings.LayerNorm"), []
    for layer in range(LAYERS):
        name = f"encoder.layer.{layer}"
        heads = [
            linear(hidden, f"{name}.attention.self.{part}")
            .view(len(tokens), HEADS, SIZE // HEADS)
            .transpose(0, 1)
            for part in ("query", "key", "value")
        ]
        mixed = functional.scaled_dot_product_attention(*heads).transpose(0, 1)
        attended = linear(mixed.reshape(len(tokens), SIZE), f"{name}.attention.output.dense")
        hidden = norm(hidden + attended, f"{name}.attention.output.LayerNorm")
        inner = functional.gelu(linear(hidden, f"{name}.intermediate.dense"))
        hidden = norm(hidden + linear(inner, f"{name}.output.dense"), f"{name}.output.LayerNorm")
        means.insert(0, functional.normalize(hidden.mean(dim=0), dim=0))
    return torch.cat(means).numpy()


@pytest.mark.parametrize("seed", [0, 1])
def test_it_computes_what_torch_computes(tmp_path: Path, seed: int) -> None:
    found = SentenceEncoder(tiny_encoder(tmp_path, seed=seed)).vectors(["Acme wins a large order"])
    tokens = [2, 4, 6, 19, 20, 8, 3]  # by hand: their places in the list of words
    assert found.shape == (1, 3 * SIZE)
    assert found[0] == pytest.approx(by_torch(tokens, seed), abs=2e-6)


def test_a_text_means_the_same_in_any_company(tmp_path: Path) -> None:
    reads = SentenceEncoder(tiny_encoder(tmp_path))
    together = reads.vectors(TEXTS * 40)
    for place, text in enumerate(TEXTS):
        assert together[place + len(TEXTS)] == pytest.approx(reads.vectors([text])[0], abs=1e-6)


def test_addresses_and_endless_texts_are_not_read(tmp_path: Path) -> None:
    reads = SentenceEncoder(tiny_encoder(tmp_path))
    plain, linked = reads.vectors(["Acme wins", "Acme wins https://t.co/aBc"])
    assert plain == pytest.approx(linked, abs=1e-6)
    long = reads.vectors(["acme " * 100_000, "acme " * 200_000])
    assert np.array_equal(long[0], long[1])


def test_a_folder_without_the_files_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"config\.json, vocab\.txt, model\.safetensors"):
        SentenceEncoder(tmp_path)


@pytest.mark.parametrize(
    "config",
    [
        {"model_type": "gpt2"},
        {"hidden_act": "relu"},
        {"num_hidden_layers": 0},
        {"num_hidden_layers": 10**400},
        {"hidden_size": "x"},
        {"hidden_size": 10**12},
        {"num_attention_heads": True},
        {"num_attention_heads": 5},
        {"max_position_embeddings": 8},
        {"layer_norm_eps": 1e308},
    ],
)
def test_another_kind_of_model_is_refused(tmp_path: Path, config: dict[str, Any]) -> None:
    with pytest.raises(BadData, match=r"config\.json: is no configuration"):
        SentenceEncoder(tiny_encoder(tmp_path, **config))


@pytest.mark.parametrize(
    "config", [{"num_hidden_layers": 4}, {"hidden_size": 48}, {"max_position_embeddings": 512}]
)
def test_weights_of_another_shape_are_refused(tmp_path: Path, config: dict[str, Any]) -> None:
    with pytest.raises(BadData, match=r"config\.json and vocab\.txt say"):
        SentenceEncoder(tiny_encoder(tmp_path, **config))


def test_a_configuration_without_end_is_refused(tmp_path: Path) -> None:
    (tiny_encoder(tmp_path) / encoder.CONFIG).write_text("[" * 200_000)
    with pytest.raises(BadData, match=r"config\.json: is no configuration"):
        SentenceEncoder(tmp_path)


def test_half_a_pair_of_characters_is_read_as_unknown(tmp_path: Path) -> None:
    reads = SentenceEncoder(tiny_encoder(tmp_path))
    assert np.array_equal(reads.vectors(["acme \ud800"]), reads.vectors(["acme ?"]))


def test_numbers_that_are_none_are_refused(tmp_path: Path) -> None:
    path = tiny_encoder(tmp_path) / encoder.WEIGHTS
    broken = load_file(path)
    broken["embeddings.word_embeddings.weight"][30] = np.nan  # of a word that few texts hold
    save_file(broken, path)
    with pytest.raises(BadData, match="not finite"):
        SentenceEncoder(tmp_path)


@pytest.mark.parametrize("name", [encoder.WEIGHTS, encoder.VOCABULARY, encoder.CONFIG])
def test_a_damaged_file_is_named(tmp_path: Path, name: str) -> None:
    path = tiny_encoder(tmp_path) / name
    path.write_bytes(path.read_bytes()[:100] + b"\xff")
    with pytest.raises(BadData, match=name):
        SentenceEncoder(tmp_path)


@pytest.mark.parametrize("pieces", ["acme\nbeta\n", "[CLS]\n[SEP]\n[UNK]\nacme\nacme\n"])
def test_a_vocabulary_that_is_none_is_refused(tmp_path: Path, pieces: str) -> None:
    (tiny_encoder(tmp_path) / encoder.VOCABULARY).write_text(pieces)
    with pytest.raises(BadData, match="is no vocabulary"):
        SentenceEncoder(tmp_path)


def test_a_vocabulary_of_another_size_is_refused(tmp_path: Path) -> None:
    with (tiny_encoder(tmp_path) / encoder.VOCABULARY).open("a") as file:
        file.write("another\n")
    with pytest.raises(BadData, match=r"word_embeddings.weight: \(38, 24\), .* say \(39, 24\)"):
        SentenceEncoder(tmp_path)


def test_without_the_extra_the_remedy_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tiny_encoder(tmp_path)

    def missing(name: str) -> Any:
        raise ImportError(f"No module named {name!r}")

    monkeypatch.setattr(encoder, "import_module", missing)
    with pytest.raises(ConfigError, match="make setup-sentences"):
        SentenceEncoder(folder)
    monkeypatch.setattr(encoder, "find_spec", lambda name: None)
    assert not is_installed()
    with pytest.raises(ConfigError, match="make setup-sentences"):
        folder_of("installed")


def test_the_installed_encoder_knows_what_belongs_together() -> None:
    if not is_installed():
        pytest.skip("no encoder here: make setup-sentences")
    rows = SentenceEncoder(folder_of("installed")).vectors(
        ["Acme raises its forecast", "Acme lifts guidance", "Rain is expected in Paris"]
    )
    assert rows.shape == (3, 3 * 384)
    assert rows[0] @ rows[1] > rows[0] @ rows[2] + 0.3
    # What the library `transformers` 5.24 gives for the first text, in the last layer.
    assert rows[0, :3] == pytest.approx([-0.115183, -0.070074, 0.038769], abs=1e-5)
