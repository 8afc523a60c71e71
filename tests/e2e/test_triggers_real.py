# SPDX-License-Identifier: Apache-2.0
"""Real services that fall ill, with the metrics of three libraries: the illness is in the recording.

CONTRACE_HEALTHY_SECONDS, for how long each of them is healthy and must make no incident
(scripts/healthy-hour).
"""

import os
import time

import pytest
from patient import LIBRARIES, Patient, build, rules
from support import BUILD, job, wait_until
from triggers import FIRED, INCIDENT, document

HEALTHY = float(os.environ.get("CONTRACE_HEALTHY_SECONDS", "45"))
# Which rules may see the illness first; several are right about some of them.
LABELS = {
    "lock": ({"lock", "cpu"}, {"lock-contention"}),
    "cpu": ({"cpu"}, {"cpu-saturated"}),
    "gc": ({"gc", "cpu"}, {"gc-pressure"}),
    "leak": ({"leak", "growth"}, {"goroutine-leak"}),
}


@pytest.fixture(scope="module")
def binary(tmp_path_factory):
    return build(tmp_path_factory.mktemp("patient") / "patient")


@pytest.fixture
def patient(binary):
    running = []

    def start(library):
        running.append(Patient(binary, library))
        return running[-1]

    yield start
    for one in running:
        one.close()


def watch(daemon, tmp_path, endpoint, jobs, rules):
    text = document(
        jobs, tmp_path, rules, glob={"seconds": 1},
        inspect={"enabled": True, "command": str(BUILD / "contrace")},
    )  # fmt: skip
    d = daemon(text=text, args=[endpoint.option])
    wait_until(
        "all is judged",
        lambda: all(
            r["judged"] or r["rule"].endswith("growth")  # which needs a minute
            for r in endpoint.get("/api/v1/triggers").json["triggers"]
        ),
        timeout=90,
        interval=0.2,
    )
    return d


def incident_of(d):
    (record,) = [r for r in d.spool.check().values() if "incident" in r]
    return record


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("of", LABELS)
def test_the_illness_is_in_the_recording(of, library, patient, daemon, tmp_path, endpoint):
    service = patient(library)
    d = watch(daemon, tmp_path, endpoint, [job("web", service.address)], rules(library))
    assert not d.log(message_id=FIRED)
    service.fall_ill(of)
    began = time.monotonic()
    d.wait_log(message_id=INCIDENT)
    took = time.monotonic() - began
    record = wait_until("it is labelled", lambda: incident_of(d).get("label") and incident_of(d))
    names, labels = LABELS[of]
    print(
        f"{of} by {library}: {record['trigger']}, {record['label']}, published after {took:.1f} s"
    )
    assert record["trigger"]["rule"] in names, record["trigger"]
    assert record["label"] in labels, record["label"]


def test_the_healthy_make_none(patient, daemon, tmp_path, endpoint):
    """All three, under load and noise."""
    services = {library: patient(library) for library in LIBRARIES}
    jobs = [job(library, service.address) for library, service in services.items()]
    all_rules = [
        {**rule, "name": f"{library}-{rule['name']}", "jobs": [library]}
        for library in LIBRARIES
        for rule in rules(library)
    ]
    d = watch(daemon, tmp_path, endpoint, jobs, all_rules)
    time.sleep(HEALTHY)
    assert [line["msg"] for line in d.log(message_id=FIRED)] == []
    assert not d.log(message_id=INCIDENT)
