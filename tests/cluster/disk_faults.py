"""Steers tools/disk_faults for one process."""
import os
import sys
from pathlib import Path

from harness import BUILD_DIR, ROOT

sys.path.insert(0, str(ROOT / "tools/disk_faults"))
from power_loss import cut_back  # noqa: E402,F401

LIBRARY = BUILD_DIR / "libdisk_faults.so"


class Faults:
    """The control file of a process whose files below `directory` shall fail; none do until `set`."""

    def __init__(self, directory):
        self.directory = Path(directory)
        self.control = self.directory.parent / f"{self.directory.name}.faults"
        self.record = self.directory.parent / f"{self.directory.name}.undo"
        self.set()

    @classmethod
    def of(cls, replica):
        """Of a replica, from its next start on."""
        faults = cls(replica.data)
        settings = [f"{name}={value}" for name, value in faults.env().items()]
        replica.child.command = ["env", *settings, *replica.child.command]
        return faults

    def env(self):
        return {"LD_PRELOAD": str(LIBRARY), "QUORATE_DISK_FAULTS": str(self.control)}

    def set(self, *rules, record=False):
        """These rules from the next call on, in the place of all others."""
        lines = [f"below {self.directory}", *rules]
        if record:
            self.record.mkdir(exist_ok=True)
            lines.append(f"record {self.record}")
        new = self.control.with_suffix(".new")
        new.write_text("\n".join(lines) + "\n")
        os.replace(new, self.control)
