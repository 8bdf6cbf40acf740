import sys
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent / "differential"),
                str(Path(__file__).resolve().parents[1] / "cluster")]
from harness import QUORATE  # noqa: E402


def pytest_sessionstart(session):
    if not QUORATE.exists():
        pytest.exit(f"there is no {QUORATE}: run ./dev build, or set QUORATE_BUILD_DIR", returncode=2)
