"""A trained model as a folder: `model.json` (who votes, and the card) and `weights.safetensors`.

A folder is written whole or not at all, and read only when the weights are those that its card
names and all that decides is what its id was made of. Nothing in it can run: pickles, and archives
that may hold them, are refused by name.
"""

from __future__ import annotations

import json
import math
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from catalyst_bot.domain.errors import BadData, ConfigError
from catalyst_bot.domain.ids import content_id
from catalyst_bot.domain.news import Worth
from catalyst_bot.features.normalisation import Normalisation, normalisation_from
from catalyst_bot.features.spec import NAMES, SPEC_HASH
from catalyst_bot.policies.network import Network, network_of

CARD, WEIGHTS = "model.json", "weights.safetensors"
FORMAT = 2
MAX_WEIGHT_BYTES, MAX_CARD_BYTES, MAX_AGENTS, MAX_LAYERS = 64 << 20, 4 << 20, 64, 16
PICKLED = (".pkl", ".pickle", ".zip", ".pt", ".pth", ".joblib", ".npz")
# Verdicts in the card: every gate of validation let the model through; no gate has seen it.
PASSED, UNJUDGED = "passed", "not validated"
_TRAIN = "make it with `catalyst-bot train`"
_REMEDY = (
    f"a model is a folder of {CARD} and {WEIGHTS}, never a pickle or an archive that may hold one, "
    "because loading a pickle runs code: export it again with `catalyst-bot train`, or use "
    "--model rule"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """One voter: its network, and its weight in the vote, which validation alone decided."""

    name: str
    algorithm: str
    seed: int
    network: Network
    weight: float
    validation_sharpe: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """An ensemble with all that it needs to decide, and its card.

    `edges` are what categories of news were worth where it learned: it is asked with them. None for
    one that learned with the worth that detection ships. The card says where it comes from (data
    hash, commit, trials, parents, versions, metrics) and the `verdict` of validation.
    """

    name: str
    spec_hash: str
    bar_interval_s: int
    normalisation: Normalisation
    agents: tuple[Agent, ...]
    edges: Mapping[str, Worth] | None = None
    card: Mapping[str, Any]

    @property
    def model_id(self) -> str:
        """The name with a hash of what decides: equal ids decide alike."""
        return f"{self.name}-{content_id('mdl', *_identity(self)).removeprefix('mdl-')[:12]}"

    @property
    def has_passed(self) -> bool:
        """True when its card says that every gate of validation let it through."""
        return self.card.get("verdict") == PASSED


def write_model(folder: Path, model: Model) -> None:
    """Write a model; `folder` appears when all of it is on the disk. Equal models, equal bytes.

    Raises `ConfigError` when the folder exists and is not empty, `BadData` for a model that could
    not be read back.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(f"{folder}: is not empty; name a new folder for the model")
    weights = save(_tensors(model))
    text = _text(model, weights)
    _model_from(json.loads(text), weights, folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    try:
        (part / WEIGHTS).write_bytes(weights)
        (part / CARD).write_text(text, encoding="utf-8")
        part.replace(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def read_model(folder: Path) -> Model:
    """Read a model and hold it against its card.

    Raises `ConfigError` for what is no model folder or made for other features, `BadData` for a
    model that is damaged, tampered with, too large or pickled.
    """
    refuse_pickles(folder)
    try:
        found = json.loads(_bytes(folder / CARD, MAX_CARD_BYTES))
    except (ValueError, RecursionError) as error:
        raise BadData(f"{folder / CARD}: is no JSON: {error}") from error
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise BadData(f"{folder / CARD}: is no model of format {FORMAT}; {_TRAIN}")
    if found.get("spec_hash") != SPEC_HASH:
        raise ConfigError(
            f"{folder}: was made for features {found.get('spec_hash')}, this version builds "
            f"{SPEC_HASH}: train it again"
        )
    return _model_from(found, _bytes(folder / WEIGHTS, MAX_WEIGHT_BYTES), folder)


def refuse_pickles(path: Path) -> None:
    """Raise `BadData` when the path is, or the folder holds, something that may be a pickle."""
    inside = sorted(path.iterdir()) if path.is_dir() else [path]
    for file in inside:
        if file.suffix.lower() in PICKLED:
            raise BadData(f"{file}: {_REMEDY}")


def _identity(model: Model) -> list[str]:
    return [_json(_decides(model)), sha256(save(_tensors(model))).hexdigest()]


def _decides(model: Model) -> dict[str, Any]:
    """What decides, besides the weights."""
    return {
        "spec_hash": model.spec_hash,
        "bar_interval_s": model.bar_interval_s,
        "normalisation": asdict(model.normalisation) | {"names": NAMES},
        "edges": None
        if model.edges is None
        else {name: asdict(worth) for name, worth in sorted(model.edges.items())},
        "agents": [
            {
                "name": agent.name,
                "algorithm": agent.algorithm,
                "seed": agent.seed,
                "layers": len(agent.network.weights),
                "activation": agent.network.activation,
                "squash": agent.network.squash,
                "weight": agent.weight,
                "validation_sharpe": agent.validation_sharpe,
            }
            for agent in model.agents
        ],
    }


def _text(model: Model, weights: bytes) -> str:
    try:
        return _json(
            {
                "format": FORMAT,
                "name": model.name,
                "model_id": model.model_id,
                "weights_sha256": sha256(weights).hexdigest(),
                **_decides(model),
                "card": dict(model.card),
            }
        )
    except (TypeError, ValueError) as error:
        raise BadData(f"model {model.name}: its card is no plain JSON: {error}") from error


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _tensors(model: Model) -> dict[str, NDArray[np.float32]]:
    """The weights as training had them: single precision."""
    return {
        f"{agent.name}/{layer}/{part}": np.ascontiguousarray(array, dtype=np.float32)
        for agent in model.agents
        for part, arrays in (("weight", agent.network.weights), ("bias", agent.network.biases))
        for layer, array in enumerate(arrays)
    }


def _bytes(path: Path, limit: int) -> bytes:
    try:
        if path.stat().st_size > limit:
            raise BadData(f"{path}: has more than {limit} bytes")
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"{path.parent}: holds no model ({path.name} cannot be read); {_TRAIN}"
        ) from error


def _model_from(found: Mapping[str, Any], weights: bytes, folder: Path) -> Model:
    """Build the model of a card and its weights; every doubt is a `BadData` that names the folder.

    The hash is held against the card before the weights are parsed.
    """
    if sha256(weights).hexdigest() != found.get("weights_sha256"):
        raise BadData(f"{folder / WEIGHTS}: is not the file its card describes (hash differs)")
    try:
        tensors = load(weights)
        normalisation = normalisation_from(json.dumps(found["normalisation"]))
        agents = tuple(_agent(each, tensors) for each in _listed(found["agents"]))
        model = Model(
            name=_word(found["name"], "name"),
            spec_hash=found["spec_hash"],
            bar_interval_s=_whole(found["bar_interval_s"], "bar_interval_s"),
            normalisation=normalisation,
            agents=agents,
            edges=_edges(found["edges"]),
            card=dict(found["card"]),
        )
    except SafetensorError as error:
        raise BadData(f"{folder / WEIGHTS}: is no safetensors file: {error}") from error
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise BadData(f"{folder / CARD}: {error!r} is missing or of no use") from error
    except BadData as error:
        raise BadData(f"{folder}: {error}") from error
    _hold_together(model, folder)
    if model.model_id != found.get("model_id"):
        raise BadData(f"{folder / CARD}: describes another model than {found.get('model_id')}")
    return model


def _hold_together(model: Model, folder: Path) -> None:
    names = [agent.name for agent in model.agents]
    if len(set(names)) != len(names):
        raise BadData(f"{folder / CARD}: agents: two have the same name")
    if not sum(agent.weight for agent in model.agents) > 0:
        raise BadData(f"{folder / CARD}: agents: none has weight in the vote")
    if model.normalisation.bar_interval_s != model.bar_interval_s:
        raise BadData(
            f"{folder / CARD}: normalised for bars of {model.normalisation.bar_interval_s} s, but "
            f"a model of bars of {model.bar_interval_s} s"
        )


def _edges(found: Any) -> dict[str, Worth] | None:
    if found is None:
        return None
    return {
        _word(name, "edges"): Worth(
            edge_bps=_number(each["edge_bps"], "edge_bps"),
            high_bps=_number(each["high_bps"], "high_bps", low=float(each["edge_bps"])),
            events=_whole(each["events"], "events"),
        )
        for name, each in found.items()
    }


def _listed(agents: Any) -> list[Mapping[str, Any]]:
    if not isinstance(agents, list) or not 1 <= len(agents) <= MAX_AGENTS:
        raise BadData(f"agents: a list of 1 to {MAX_AGENTS} is needed")
    return agents


def _agent(found: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]) -> Agent:
    name, layers = _word(found["name"], "agent"), _whole(found["layers"], "layers")
    if layers > MAX_LAYERS:
        raise BadData(f"agent {name}: more than {MAX_LAYERS} layers")
    arrays = [
        (_tensor(tensors, f"{name}/{layer}/weight"), _tensor(tensors, f"{name}/{layer}/bias"))
        for layer in range(layers)
    ]
    try:
        network = network_of(arrays, activation=found["activation"], squash=found["squash"])
    except BadData as error:
        raise BadData(f"agent {name}: {error}") from error
    return Agent(
        name=name,
        algorithm=_word(found["algorithm"], "algorithm"),
        seed=int(found["seed"]),
        network=network,
        weight=_number(found["weight"], "weight", low=0.0),
        validation_sharpe=_number(found["validation_sharpe"], "validation_sharpe"),
    )


def _tensor(tensors: Mapping[str, NDArray[Any]], name: str) -> NDArray[Any]:
    if name not in tensors:
        raise BadData(f"{WEIGHTS} holds no {name}: an agent of the card is missing")
    return tensors[name]


def _word(value: Any, name: str) -> str:
    if not isinstance(value, str) or not value or len(value) > 100 or "/" in value:
        raise BadData(f"{name}: {value!r} is no name")
    return value


def _whole(value: Any, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise BadData(f"{name}: {value!r} is no whole number above zero")
    return value


def _number(value: Any, name: str, *, low: float = -math.inf) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value) or value < low:
        raise BadData(f"{name}: {value!r} is no number of use")
    return float(value)
