"""Flags that many commands take, each said once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Config = Annotated[Path | None, typer.Option(help="settings file")]
DataDir = Annotated[Path | None, typer.Option(help="journals, catalog, HALT latch")]
Json = Annotated[str, typer.Option("--json", help="write JSON here; - is standard output")]
Journal = Annotated[str | None, typer.Option(help="file, name or URL; default: the newest")]
