"""A stock resolver in front of the three levels: unbound is given the addresses of the root group and finds the rest by
referrals. Those lead to port 53, so all of it runs in a network of its own, which is gone with the process."""
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent


def own_network():
    """The words before a command that give it a network, and end with it whatever it started; None where not allowed."""
    for rights in ([], ["--user", "--map-root-user"]):
        words = ["unshare", *rights, "--net", "--pid", "--fork", "--kill-child"]
        if subprocess.run([*words, "ip", "link", "set", "lo", "up"], capture_output=True, check=False).returncode == 0:
            return words
    return None


def test_unbound_resolves_through_root_tld_and_domain(tmp_path):
    words = own_network()
    if not words:
        pytest.skip("this user may not make a network namespace")
    done = subprocess.run([*words, sys.executable, str(HERE / "through_unbound.py"), str(tmp_path)], env=dict(os.environ),
                          capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr[-6000:]
