"""Every page of docs/operations with commands is run as it stands."""
import pytest

from operation_page import PAGES, run_page, script_of

# Page -> how long it may take, in seconds.
RUN = {"backup-and-restore.md": 120, "damaged-replica.md": 180, "full-disk.md": 120, "lost-quorum.md": 180,
       "spanning.md": 180, "members.md": 120, "grow-3-to-5.md": 180, "replace-a-dead-replica.md": 120, "upgrade.md": 180,
       "zones.md": 120, "tsig.md": 120}
# Pages without a command to run.
ONLY_READ = {"leases.md", "README.md", "secondaries.md"}


@pytest.mark.parametrize("name", sorted(RUN))
def test_the_commands_of_the_page_work(name, tmp_path):
    run_page(name, tmp_path, RUN[name])


def test_every_page_is_run_or_has_nothing_to_run():
    pages = {path.name for path in PAGES.glob("*.md")}
    assert pages - ONLY_READ == set(RUN)
    for name in pages & ONLY_READ:
        assert "```sh" not in (PAGES / name).read_text(), f"{name} has commands: list it in RUN"


def test_a_script_keeps_the_lines_of_its_page():
    page = "# Title\n\n```sh\nA=1\n```\ntext\n```text\nnot run\n```\n```sh\necho $A\n```\n"
    assert script_of(page).splitlines() == ["", "", "", "A=1", "", "", "", "", "", "", "echo $A", ""]
