"""Where downloaded and prepared things are kept between runs."""

from __future__ import annotations

import os
from pathlib import Path


def cache_dir() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(base) / "sprinters"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
