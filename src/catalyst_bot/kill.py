"""The out-of-band kill switch: `python -m catalyst_bot.kill --hold|--close`.

Its own process; needs neither the bot's event loop nor its database. It sets the HALT latch,
which every submit re-checks; a running bot then also halts in band within a second.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from catalyst_bot.domain.enums import PositionsPolicy
from catalyst_bot.runtime.latch import OperatorMailbox


def kill(data_dir: Path, *, policy: PositionsPolicy, reason: str, by: str) -> float:
    """Set the latch and return how long it took, in milliseconds."""
    started = time.perf_counter()
    OperatorMailbox(data_dir).halt(by=by, reason=reason, positions_policy=policy)
    return (time.perf_counter() - started) * 1000.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the command line, set the latch, say so; exit code 0, or 3 when it cannot be set."""
    parser = argparse.ArgumentParser(prog="python -m catalyst_bot.kill", description=__doc__)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--hold", action="store_true", help="cancel entries, keep positions")
    what.add_argument("--close", action="store_true", help="cancel entries, close positions")
    parser.add_argument("--data-dir", type=Path, default=Path("data"))
    parser.add_argument("--reason", default="kill switch")
    given = parser.parse_args(arguments)
    policy = PositionsPolicy.CLOSE if given.close else PositionsPolicy.HOLD
    try:
        took_ms = kill(given.data_dir, policy=policy, reason=given.reason, by="kill switch")
    except OSError as error:
        sys.stderr.write(f"NOT HALTED: the latch cannot be written: {error}; check --data-dir\n")
        return 3
    sys.stdout.write(
        f"HALT latch set in {given.data_dir / 'operator'} ({policy}) in {took_ms:.1f} ms: "
        "no entry can be sent. Resume with: catalyst-bot resume --reason '...'\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
