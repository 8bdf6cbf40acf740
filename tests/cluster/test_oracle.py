"""The Oracle as the original system's clients know it, and a deployment that was formed by it."""
import os
import signal

import pytest

from harness import QUORATE, Child, etcdctl, free_ports, http, stop_all, wait_until

INIT = {"n_regions": "2", "region_names": ["us-east-1", "ap-southeast-1"], "instances_per_region": "9",
        "replicas_per_ns": "3"}


class Oracle:
    def __init__(self, directory):
        port = free_ports("127.0.0.1", ("oracle",))["oracle"]
        self.url = f"http://127.0.0.1:{port}"
        self.data = directory / "oracle"
        self.child = Child("oracle", [str(QUORATE), "oracle", "--listen", f"127.0.0.1:{port}", "--data",
                                      str(self.data)], directory / "oracle.log")

    def start(self):
        self.child.start()
        wait_until(lambda: http("GET", self.url + "/status"), "the Oracle answers")

    def post(self, path, body):
        return http("POST", self.url + path, json=body)

    def register(self, number, region="us-east-1", uuid=None):
        inst_id = f"{region}-{number}"
        addresses = {door: f"{inst_id}:{port}" for door, port in
                     {"peer": 2380, "dns": 53, "http": 8053, "etcd": 2379}.items()}
        return self.post("/register_replica", {"inst_id": inst_id, "region": region, "uuid": uuid or f"u-{inst_id}",
                                               "incarnation": 1, "addresses": addresses})


@pytest.fixture
def oracle(tmp_path):
    fresh = Oracle(tmp_path)
    fresh.start()
    yield fresh
    stop_all([fresh.child])


def test_it_refuses_replicas_until_it_is_initialised(oracle):
    assert http("GET", oracle.url + "/status").json()["phase"] == "uninitialised"
    reply = oracle.register(1)
    assert reply.status_code == 425 and "POST /init" in reply.json()["hint"]


def test_init_is_idempotent_and_other_values_conflict(oracle):
    assert oracle.post("/init", INIT).status_code == 200
    assert oracle.post("/init", INIT).status_code == 200
    reply = oracle.post("/init", {**INIT, "region_names": ["a", "b"]})
    assert reply.status_code == 409 and reply.json()["error"]


def test_it_says_what_is_wrong_with_an_init(oracle):
    assert "does not divide" in oracle.post("/init", {**INIT, "instances_per_region": "10"}).json()["error"]
    assert "region_names" in oracle.post("/init", {**INIT, "n_regions": "3"}).json()["error"]
    assert http("POST", oracle.url + "/init", data="{").status_code == 400


def test_places_survive_a_kill_of_the_oracle(oracle):
    oracle.post("/init", INIT)
    places = [oracle.register(number).json() for number in range(1, 6)]
    before = http("GET", oracle.url + "/status").json()
    oracle.child.process.kill()
    oracle.child.process.wait()
    oracle.start()
    assert http("GET", oracle.url + "/status").json() == before
    for number, place in enumerate(places, 1):
        again = oracle.register(number).json()
        assert (again["group"], again["replica_id"]) == (place["group"], place["replica_id"])
    assert oracle.register(2, uuid="another-directory").status_code == 409


def test_a_damaged_state_stops_it_with_a_clear_error(oracle):
    oracle.post("/init", INIT)
    stop_all([oracle.child])
    (oracle.data / "oracle.json").write_text('{"format": "quorate-oracle", "version": 99')
    oracle.child.start()
    assert oracle.child.process.wait(10) != 0
    assert "oracle.json cannot be used" in oracle.child.last_words()


def test_its_port_in_use_is_a_clear_error(oracle, tmp_path):
    second = Child("second", [str(QUORATE), "oracle", "--listen", oracle.url[len("http://"):], "--data",
                              str(tmp_path / "second")], tmp_path / "second.log")
    second.start()
    assert second.process.wait(10) != 0
    assert "in use" in second.last_words()


def test_the_deployment_was_formed_through_it(up):
    status = http("GET", up.oracle + "/status").json()
    assert status["phase"] == "ready"
    assert [r["name"] for r in status["regions"]] == ["us-east-1", "ap-southeast-1"]
    for region in status["regions"]:
        assert [(g["name"], g["zones"]) for g in region["groups"]] == [
            ("root", ["."]), ("org", ["org."]), ("example.org", ["example.org."])]
        assert all([r["id"] for r in g["replicas"]] == [1, 2, 3] for g in region["groups"])
    ids = [g["id"] for region in status["regions"] for g in region["groups"]]
    assert len(set(ids)) == 6


def test_every_group_of_the_deployment_has_one_leader_and_takes_writes_anywhere(up):
    for region in range(2):
        for name in ("root", "org", "example.org"):
            replicas = up.group(name, region)
            leaders = [r for r in replicas if http("GET", r["http"] + "/health/leader").status_code == 200]
            assert len(leaders) == 1
            for replica in replicas:
                assert etcdctl(replica["etcd"], "put", "who", replica["dns"]).returncode == 0


def test_a_replica_that_dies_is_started_again_with_its_new_pid_written(up):
    victim = up.group("org")[1]
    os.kill(victim["pid"], signal.SIGKILL)
    wait_until(lambda: up.group("org")[1]["pid"] not in (None, victim["pid"]), "a new pid is written")
    wait_until(lambda: getattr(http("GET", victim["http"] + "/readyz", 2), "status_code", 0) == 200,
               "it is ready again", 60)
