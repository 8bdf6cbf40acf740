"""The library that makes disks fail (tools/disk_faults) does what its README says."""
import os
import signal
import subprocess
import sys

import pytest
from disk_faults import Faults, cut_back


@pytest.fixture
def faults(tmp_path):
    (tmp_path / "d").mkdir()
    return Faults(tmp_path / "d")


def run(faults, program):
    """Runs Python lines under the faults, in the directory; gives what they print, line by line."""
    program = "import os, errno, time\n" + program
    done = subprocess.run([sys.executable, "-S", "-c", program], cwd=faults.directory, env={**os.environ, **faults.env()},
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.stdout.split("\n")[:-1]


TRY = """
def attempt(call, *arguments):
    try:
        print(call(*arguments), flush=True)
    except OSError as error:
        print(errno.errorcode[error.errno], flush=True)
f = os.open('a.sst', os.O_RDWR | os.O_CREAT)
g = os.open('b.wal', os.O_RDWR | os.O_CREAT)
"""


def test_calls_fail_as_they_are_told_and_only_in_the_directory(faults, tmp_path):
    faults.set("write error EIO name .sst after 1 times 1", "sync error EIO name .wal", "rename error EROFS")
    out = run(faults, TRY + f"""
for _ in range(3): attempt(os.write, f, b'1234')
attempt(os.fsync, f)
attempt(os.fdatasync, g)
attempt(os.rename, 'a.sst', 'c.sst')
h = os.open({str(tmp_path / 'x.wal')!r}, os.O_RDWR | os.O_CREAT)
attempt(os.fsync, h)
""")
    assert out == ["4", "EIO", "4", "None", "EIO", "EROFS", "None"]


def test_short_writes_say_so_and_torn_ones_do_not(faults):
    faults.set("write short name .sst", "write torn ENOSPC name .wal")
    out = run(faults, TRY + "attempt(os.write, f, b'12345678'); attempt(os.pwrite, g, b'12345678', 0)\n"
                            "print(os.fstat(f).st_size, os.fstat(g).st_size)")
    assert out == ["4", "ENOSPC", "4 4"]


def test_a_full_disk_has_no_room_until_something_goes(faults):
    faults.set("space 65536")
    out = run(faults, TRY + """
attempt(os.write, f, b'x' * 49152); os.fsync(f)
attempt(os.write, g, b'x' * 32768)
print(os.statvfs('.').f_bavail * os.statvfs('.').f_frsize)
os.unlink('a.sst'); os.close(f)
attempt(os.write, g, b'x' * 32768)
""")
    assert out == ["49152", "ENOSPC", "16384", "32768"]


def test_a_sync_can_be_delayed_and_the_rules_may_change_meanwhile(faults):
    faults.set("sync delay 300")
    out = run(faults, TRY + f"""
t = time.monotonic(); os.fsync(f); print(time.monotonic() - t >= 0.3)
rules = open({str(faults.control)!r}).read().replace('delay 300', 'error EIO')
open('../next', 'w').write(rules)
os.rename('../next', {str(faults.control)!r})
attempt(os.fsync, f)
""")
    assert out == ["True", "EIO"]


@pytest.mark.parametrize("tear", [None, 7])
def test_power_loss_leaves_what_was_synced(faults, tear):
    faults.set(record=True)
    run(faults, TRY + """
os.pwrite(g, b'0' * 2048, 0); os.fsync(g)
os.pwrite(g, b'1' * 1024, 512); os.pwrite(g, b'2' * 512, 0)
os.pwrite(f, b'never synced', 0)
os.kill(os.getpid(), 9)
""")
    assert cut_back(faults.directory, faults.record, tear) == ["a.sst", "b.wal"]
    content = (faults.directory / "b.wal").read_bytes()
    sectors = [set(content[at:at + 512]) for at in range(0, 2048, 512)]
    assert all(len(sector) == 1 for sector in sectors) and len(content) == 2048
    if tear is None:
        assert content == b"0" * 2048 and (faults.directory / "a.sst").read_bytes() == b""
    assert not list(faults.record.iterdir())
