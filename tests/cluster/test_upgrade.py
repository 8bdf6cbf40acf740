"""A rolling upgrade: programs of an older feature level are replaced one by one under load."""
import random

from harness import Group, http, wait_until
from test_rolling import PATIENT, SEED, Load, restart

OLD = ["--feature-level", "1"]


def levels(group):
    return [(r.group_status() or {}).get("feature_level") for r in group.replicas]


def take_off(replica):
    at = replica.child.command.index(OLD[0])
    del replica.child.command[at:at + 2]


def test_a_group_is_upgraded_one_by_one_and_nothing_new_is_done_before_the_last(tmp_path):
    config = tmp_path / "serve.toml"
    config.write_text(PATIENT)
    group = Group(tmp_path, options=["--config", str(config), *OLD])
    try:
        group.start()
        with Load(group) as load:
            load.goes_on()
            order = random.Random(SEED).sample(group.replicas, 3)
            for replica in order:
                assert levels(group) == [1, 1, 1]
                reply = http("POST", f"{group.leader().url}/api/v1/members", json={"address": "127.0.0.1:9"})
                assert reply.status_code in (421, 503), reply.text  # 421: another leads by now
                take_off(replica)
                restart(replica)
                load.goes_on()
            wait_until(lambda: levels(group) == [3, 3, 3], "the group can do what all of them can", 60)
            load.goes_on()
            load.judge(tmp_path / "history.jsonl")
        # There is no way back, and the program says so.
        old = order[0]
        old.stop()
        old.child.command += OLD
        old.start()
        assert old.child.process.wait(60) == 1
        assert "the group has feature level 3" in old.child.last_words()
    finally:
        group.stop()
