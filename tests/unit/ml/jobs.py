"""Jobs that other processes and other nodes can import."""

from __future__ import annotations

import json
import os
import sys
import time

from catalyst_bot.domain.errors import BadData
from catalyst_bot.ml.training.parallel import mapped


def squared(number: int) -> int:
    return number * number


def where_it_ran(number: int) -> tuple[int, str]:
    """The process and, on a cluster, the node; slow enough that one worker cannot do it all, also
    where the other one is still starting.
    """
    time.sleep(2.0 if "ray" in sys.modules else 0.3)
    ray = sys.modules.get("ray")
    is_node = ray is not None and ray.is_initialized()
    return os.getpid(), ray.get_runtime_context().get_node_id() if is_node else ""


def refused(number: int) -> int:
    if number:
        raise BadData(f"no such history: {number}")
    return number


def main(cluster: str) -> None:
    """Run jobs on a cluster and print what came back."""
    items = list(range(6))
    found = {
        "squares": mapped(squared, items, cluster=cluster),
        "nodes": len({node for _, node in mapped(where_it_ran, items, cluster=cluster)}),
    }
    try:
        mapped(refused, [0, 1], cluster=cluster)
    except BadData as error:
        found["refused"] = str(error)
    sys.stdout.write(json.dumps(found) + "\n")
