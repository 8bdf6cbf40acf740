"""Zone files, settings and TSIG keys by the commands of an operator."""
import json
import re

import pytest

from harness import QUORATE, quorate, wait_until

ZONE = "example.org."
HEAD = f"$TTL 300\n$ORIGIN {ZONE}\n@ SOA ns1 host 1 3600 600 86400 300\n@ NS ns1\nns1 A 192.0.2.1\n"


def ok(result):
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.fixture(name="ready", scope="module")
def ready_fixture(calm_group):
    wait_until(lambda: (calm_group.leader().group_status() or {}).get("feature_level", 0) >= 3,
               "the group knows that all its programs can do this", 60)
    return calm_group


def test_a_zone_of_many_pieces_is_one_change_at_every_replica(ready, tmp_path):
    count = 200_000
    path = tmp_path / "big.zone"
    with open(path, "w", encoding="ascii") as out:
        out.write(HEAD)
        out.writelines(f"h{i} A 10.{i >> 16 & 255}.{i >> 8 & 255}.{i & 255}\n" for i in range(count))
    follower = ready.followers()[0]
    done = json.loads(ok(quorate("zone", "import", ZONE, path, "--server", follower.url, "-o", "json", timeout_s=120)))
    revision = done["results"][0]["revision"]
    for replica in ready.replicas:
        wait_until(lambda r=replica: r.answers(f"h{count - 1}.{ZONE}") == {f"10.3.13.{count - 1 & 255}"}, "the last record is there")
    shown = json.loads(ok(quorate("zone", "show", ZONE, "--server", follower.url, "-o", "json")))["zones"][0]
    assert shown["revision"] == revision, "it was one change"
    differs = quorate("zone", "diff", ZONE, path, "--server", follower.url, timeout_s=120)
    lines = [line for line in differs.stdout.splitlines() if " SOA " not in line]  # the serial went up
    assert differs.returncode in (0, 1) and not lines, differs.stderr + differs.stdout[:1000]


def test_an_edit_is_checked_shown_and_applied_only_to_what_was_read(ready, tmp_path):
    server = ("--server", ready.leader().url)
    path = tmp_path / "example.org.zone"
    path.write_text(HEAD + "www A 192.0.2.7\n")
    ok(quorate("zone", "import", ZONE, path, *server))

    def edit(script, *flags):
        editor = tmp_path / "editor"
        editor.write_text(f"#!/bin/sh\n{script}\n")
        editor.chmod(0o755)
        return quorate("zone", "edit", ZONE, *server, *flags, env={"EDITOR": str(editor), "VISUAL": "", "TMPDIR": str(tmp_path)})

    done = edit('sed -i s/192.0.2.7/192.0.2.8/ "$1"', "--yes")
    assert done.returncode == 0, done.stderr
    assert f"- www.{ZONE} 300 IN A 192.0.2.7\n+ www.{ZONE} 300 IN A 192.0.2.8\n" in done.stderr
    wait_until(lambda: ready.followers()[0].answers(f"www.{ZONE}") == {"192.0.2.8"}, "the edit is served")
    assert not list(tmp_path.glob("quorate-edit-*")), "nothing is left behind"
    assert "nothing was changed" in edit("true").stderr
    unasked = edit('sed -i s/192.0.2.8/192.0.2.9/ "$1"')
    assert unasked.returncode == 1 and "--yes" in unasked.stderr
    bad = edit('echo "www CNAME other" >> "$1"', "--yes")
    assert bad.returncode == 1 and re.search(r"\.zone:\d+:1: www\.example\.org\. CNAME", bad.stderr), bad.stderr
    assert "what was edited is in" in bad.stderr
    raced = edit(f'sed -i s/192.0.2.8/192.0.2.10/ "$1"; {QUORATE} record set other.{ZONE} A 192.0.2.66 --server {server[1]} >&2', "--yes")
    assert raced.returncode == 6, raced.stderr
    assert ready.leader().answers(f"www.{ZONE}") == {"192.0.2.8"}
    assert edit("exit 3", "--yes").returncode == 1


def test_what_stdin_gives_is_imported_and_checked(ready, tmp_path):
    server = ("--server", ready.leader().url)
    ok(quorate("zone", "import", ZONE, "-", *server, input_text=HEAD + "$GENERATE 1-3 g$ A 192.0.2.$\n"))
    assert ready.leader().answers(f"g3.{ZONE}") == {"192.0.2.3"}
    checked = quorate("zone", "check", "-", "--origin", ZONE, "-o", "json", input_text=HEAD + "a A x\nb CH A 192.0.2.1\n")
    assert checked.returncode == 1
    assert [error["line"] for error in json.loads(checked.stdout)["errors"]] == [6, 7]
    wrong = quorate("zone", "import", ZONE, "-", *server, input_text=HEAD + "a A x\n\nb A y\n")
    assert wrong.returncode == 1 and "stdin:6:" in wrong.stderr and "stdin:8:" in wrong.stderr
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_text(HEAD)
    new.write_text(HEAD + "a A 192.0.2.1\n")
    assert quorate("zone", "diff", old, old, "--origin", ZONE).returncode == 0
    difference = quorate("zone", "diff", old, new, "--origin", ZONE)
    assert (difference.returncode, difference.stdout) == (1, f"+ a.{ZONE} 300 IN A 192.0.2.1\n")


def test_settings_are_set_and_shown_everywhere(ready):
    leader, follower = ready.leader(), ready.followers()[0]
    ok(quorate("zone", "set", ZONE, "transfer=net:192.0.2.0/24,key:xfr.", "serial=dateserial", "default-ttl=77",
               "--server", follower.url))
    shown = ok(quorate("zone", "show", ZONE, "--server", leader.url))
    assert "  transfer=net:192.0.2.0/24,key:xfr.   (set)\n" in shown
    assert "  query=any\n" in shown
    ok(quorate("zone", "import", ZONE, "-", "--server", leader.url, input_text=HEAD.replace("$TTL 300\n", "")))
    assert "ns1.example.org. 77 IN A" in ok(quorate("zone", "export", ZONE, "--server", leader.url))
    for wrong in ("transfer=nobody", "color=red", "serial"):
        result = quorate("zone", "set", ZONE, wrong, "--server", leader.url)
        assert result.returncode == 2, result.stderr
    assert "settings: consistency, query" in quorate("zone", "set", ZONE, "color=red", "--server", leader.url).stderr


def test_tsig_keys_are_made_listed_shown_as_other_programs_read_them_and_deleted(ready):
    leader, follower = ready.leader(), ready.followers()[0]
    secret = "ZmVlZGRlYWRiZWVmZmVlZGRlYWRiZWVm"
    made = quorate("tsig", "create", "ddns.example.org", "--secret", secret, "--grant", f"subtree {ZONE} TXT A", "--server", follower.url)
    ok(made)
    ok(quorate("tsig", "create", "random.", "--algorithm", "hmac-sha512", "--server", leader.url))
    listed = quorate("tsig", "list", "--server", leader.url)
    assert f"subtree {ZONE} TXT A" in ok(listed) and "random." in listed.stdout
    random = json.loads(ok(quorate("tsig", "show", "random.", "--format", "json", "--server", leader.url)))["secret"]
    for told in (made.stdout + made.stderr, listed.stdout):
        assert secret not in told and random not in told

    def show(form):
        return ok(quorate("tsig", "show", "ddns.example.org.", "--format", form, "--server", leader.url))

    assert show("nsupdate") == f'key "ddns.example.org" {{\n\talgorithm hmac-sha256;\n\tsecret "{secret}";\n}};\n'
    assert show("bind") == show("nsupdate")
    assert show("keymgr").startswith(f"# hmac-sha256:ddns.example.org:{secret}\nkey:\n  - id: ddns.example.org\n")
    assert show("knot") in show("keymgr")
    assert f'secret: "{secret}"' in show("nsd")
    again = quorate("tsig", "create", "ddns.example.org.", "--server", leader.url)
    assert again.returncode == 1 and "already" in again.stderr
    ok(quorate("tsig", "delete", "ddns.example.org.", "--server", leader.url))
    assert quorate("tsig", "show", "ddns.example.org.", "--server", leader.url).returncode == 3
    for log in (replica.child.log_path for replica in ready.replicas):
        text = open(log, encoding="utf-8", errors="replace").read()
        assert secret not in text and random not in text, "a secret is in a log"
