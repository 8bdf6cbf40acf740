import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from harness import QUORATE, Group, Up  # noqa: E402


def pytest_sessionstart(session):
    if not QUORATE.exists():
        pytest.exit(f"there is no {QUORATE}: run ./dev build, or set QUORATE_BUILD_DIR", returncode=2)


@pytest.fixture
def group(tmp_path):
    """Three replicas that serve example.org., for tests that hurt them."""
    fresh = Group(tmp_path)
    try:
        fresh.start()
        yield fresh
    finally:
        fresh.stop()


@pytest.fixture(scope="module")
def calm_group(tmp_path_factory):
    """The same, shared by the tests of a module: they leave it as healthy as they found it."""
    shared = Group(tmp_path_factory.mktemp("group"))
    try:
        shared.start()
        yield shared
    finally:
        shared.stop()


@pytest.fixture(scope="module")
def up(tmp_path_factory):
    """The example deployment: 2 regions x 3 groups x 3 replicas and an Oracle."""
    deployment = Up(tmp_path_factory.mktemp("up") / "data")
    try:
        deployment.start()
        yield deployment
    finally:
        deployment.stop()
