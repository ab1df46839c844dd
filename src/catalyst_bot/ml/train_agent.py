"""`python -m catalyst_bot.ml.train_agent …` is the command `catalyst-bot train …`."""

from __future__ import annotations

import runpy
import sys

if __name__ == "__main__":
    sys.argv[1:1] = ["train"]
    runpy.run_module("catalyst_bot", run_name="__main__")
