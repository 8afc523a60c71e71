# SPDX-License-Identifier: Apache-2.0
"""What suspends scheduled captures: the flag file, the operator, CPU pressure; and how it shows."""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import pytest
import world
from hostile import healthy
from support import (
    CAPTURED,
    RELOADED,
    SUSPENDED,
    config_text,
    contraced,
    job,
    need,
    run,
    wait_until,
)
from test_notify import manager  # noqa: F401 - a fixture

OFTEN = {"scrape_interval": "1s", "scrape_timeout": "900ms"}
PRESSURE = pathlib.Path("/proc/pressure/cpu")


# Bounds of incidents that no test meets by chance.
MANY = {"max_per_hour": 1000, "max_per_target_per_hour": 1000, "max_traced": "100%"}


def config(jobs, storage, incidents=None, **suspend):
    document = json.loads(config_text(jobs, storage, OFTEN))
    document["incidents"].update(incidents or {})
    return json.dumps({**document, "suspend": suspend})


@pytest.fixture
def steered(daemon, tmp_path):
    """steered(jobs, suspend…) starts contraced."""

    def start(jobs, args=(), **suspend):
        return daemon(text=config(jobs, {"path": str(tmp_path / "spool")}, **suspend), args=args)

    return start


def wait_suspended(d, text, after=0):
    return d.wait_log(text, message_id=SUSPENDED, after=after)["msg"]


def assert_quiet(d, server, seconds=2.5):
    """What was in flight ends, and then nobody asks the target for more than two intervals."""
    time.sleep(1)  # longer than what is in flight may take
    wait_until(
        "all that was asked for is told of",
        lambda: len(d.log(message_id=CAPTURED)) == len(server.requests),
    )
    asked, mark = len(server.requests), d.mark()
    with pytest.raises(pytest.fail.Exception):
        d.wait_captured(after=mark, timeout=seconds)
    assert len(server.requests) == asked


def assert_on_demand(d):
    mark = d.mark()
    d.capture_now()
    d.wait_captured(after=mark)


def reasons(d):
    return [r["reason"] for r in d.spool.check().values()]


def test_flag_file(serve, steered, tmp_path):
    """Made, captures stop; removed, they go on; its directory may come and go."""
    s = serve(healthy())
    flag = tmp_path / "run" / "suspend"
    d = steered([job("s", s.address)], flag_file=str(flag))
    d.wait_captured(count=2)
    for _ in range(2):
        mark = d.mark()
        flag.parent.mkdir()
        flag.touch()
        said = wait_suspended(d, "is there", mark)
        assert said == f"the flag file {flag} is there: suspended, no scheduled captures"
        assert_quiet(d, s)
        assert_on_demand(d)
        mark = d.mark()
        shutil.rmtree(flag.parent)
        assert wait_suspended(d, "is gone", mark) == f"the flag file {flag} is gone: resumed"
        d.wait_captured(after=mark, count=2)
    assert not d.problems()
    assert len(d.log(message_id=SUSPENDED)) == 4
    d.stop()
    assert reasons(d).count("signal") == 2


def test_flag_file_before_the_start(serve, steered, tmp_path):
    """Not even the first capture, which comes at once otherwise."""
    s = serve(healthy())
    flag = tmp_path / "suspend"
    flag.touch()
    d = steered([job("s", s.address)], flag_file=str(flag))
    wait_suspended(d, "is there")
    assert_quiet(d, s)
    assert s.requests == []
    assert_on_demand(d)
    mark = d.mark()
    flag.unlink()
    d.wait_captured(after=mark)
    d.stop()


def test_relative_to_the_configuration(serve, steered, tmp_path):
    s = serve(healthy())
    d = steered([job("s", s.address)], flag_file="pause")
    (tmp_path / "pause").touch()
    wait_suspended(d, str(tmp_path / "pause"))
    d.stop()


def test_flag_file_and_reload(serve, steered, tmp_path):
    s = serve(healthy())
    flag, other = tmp_path / "suspend", tmp_path / "other"
    jobs = [job("s", s.address)]
    d = steered(jobs, flag_file=str(flag))
    flag.touch()
    wait_suspended(d, "is there")

    def reload(**suspend):
        mark = d.mark()
        d.write_config(None, text=config(jobs, d.storage, **suspend))
        d.signal(signal.SIGHUP)
        d.wait_log(message_id=RELOADED, after=mark)
        return [line["msg"] for line in d.log(message_id=SUSPENDED, after=mark)]

    # What did not change goes on without a word.
    assert reload(flag_file=str(flag)) == []
    assert_quiet(d, s)
    assert reload(flag_file=str(other)) == [
        "the flag file is another now, which is not there: resumed"
    ]
    mark = d.mark()
    d.wait_captured(after=mark)
    assert reload(flag_file=str(flag)) == [
        f"the flag file {flag} is there: suspended, no scheduled captures"
    ]
    assert reload(flag_file=None) == ["there is no flag file any more: resumed"]
    # A broken file changes nothing.
    assert reload(flag_file=str(flag)) != []
    d.write_config(None, text="suspend: {flag_file: ''}\n")
    d.signal(signal.SIGHUP)
    d.wait_log("flag_file must not be empty")
    assert_quiet(d, s)
    mark = d.mark()
    flag.unlink()
    wait_suspended(d, "resumed", mark)
    d.stop()


def test_flag_file_and_signal(serve, steered, tmp_path):
    """Each cause comes and goes on its own; captures go on when none holds."""
    s = serve(healthy())
    flag = tmp_path / "suspend"
    d = steered([job("s", s.address)], flag_file=str(flag))
    d.wait_captured()
    d.signal(signal.SIGUSR2)
    wait_suspended(d, "SIGUSR2: suspended")
    flag.touch()
    wait_suspended(d, "stays suspended (signal, flag_file)")
    d.signal(signal.SIGUSR2)
    wait_suspended(d, "SIGUSR2: stays suspended (flag_file)")
    assert_quiet(d, s)
    assert_on_demand(d)
    d.signal(signal.SIGUSR2)
    wait_suspended(d, "SIGUSR2: stays suspended (signal, flag_file)")
    flag.unlink()
    wait_suspended(d, "is gone: stays suspended (signal)")
    assert_quiet(d, s)
    mark = d.mark()
    d.signal(signal.SIGUSR2)
    wait_suspended(d, "SIGUSR2: resumed")
    d.wait_captured(after=mark, count=2)
    assert len(d.log(message_id=SUSPENDED)) == 6
    d.stop()


def test_status_line(manager, serve, steered, tmp_path):  # noqa: F811
    s = serve(healthy())
    flag = tmp_path / "suspend"
    d = steered([job("s", s.address)], flag_file=str(flag))
    d.wait_captured()
    manager.wait("STATUS=1 target")
    assert not manager.told("STATUS=suspended")
    d.signal(signal.SIGUSR2)
    manager.wait("STATUS=suspended (signal), 1 target")
    flag.touch()
    manager.wait("STATUS=suspended (signal, flag_file), 1 target")
    d.signal(signal.SIGUSR2)
    manager.wait("STATUS=suspended (flag_file), 1 target")
    flag.unlink()
    wait_suspended(d, "resumed")
    manager.wait("STATUS=1 target", count=len(manager.told("STATUS=1 target")) + 1)
    d.stop()


def test_once_is_not_suspended(serve, tmp_path):
    """Somebody asked for it, and it ends."""
    s = serve(healthy())
    flag = tmp_path / "suspend"
    flag.touch()
    file = tmp_path / "contraced.yaml"
    storage = {"path": str(tmp_path / "spool")}
    file.write_text(config([job("s", s.address)], storage, flag_file=str(flag)))
    done = contraced("--once", f"--config.file={file}")
    assert done.returncode == 0, done.stderr
    assert len(s.requests) == 1
    assert SUSPENDED not in done.stderr


def write_pressure(path, percent):
    """In one moment, whatever was there."""
    lines = [f"{w} avg10={percent:06.2f} avg60=0.00 avg300=0.00 total=0" for w in ("some", "full")]
    fd = os.open(path, os.O_WRONLY | os.O_CREAT, 0o644)
    os.pwrite(fd, ("\n".join(lines) + "\n").encode(), 0)
    os.close(fd)


def cgroup_pressure():
    """This process's cpu.pressure, which contraced looks at as well; None without one."""
    for line in pathlib.Path("/proc/self/cgroup").read_text().splitlines():
        for top in ("/sys/fs/cgroup", "/sys/fs/cgroup/unified") if line.startswith("0::") else ():
            path = pathlib.Path(top + line[3:]) / "cpu.pressure"
            if path.exists():
                return path
    return None


def assert_incidents(endpoint, made_up):
    """While the schedule is suspended, incidents go on, up to the ceiling; the operator's signal and
    single captures on demand go beyond it. One look at the pressure is enough."""
    order = {"all": True, "incident": True, "wait": True}
    refused = 'contrace_incidents_refused_total{limit="cpu_pressure_ceiling"} '
    assert endpoint.post("/api/v1/capture", order).status == 200
    write_pressure(made_up, 89.99)
    assert endpoint.post("/api/v1/capture", order).status == 200
    assert refused + "0\n" in endpoint.get("/metrics").text
    write_pressure(made_up, 90)
    reply = endpoint.post("/api/v1/capture", order)
    assert reply.status == 429 and "incidents.cpu_pressure_ceiling, 90%" in reply.error, reply
    assert reply.headers["Retry-After"] == "30"
    assert refused + "1\n" in endpoint.get("/metrics").text
    single = {"all": True, "wait": True}
    assert endpoint.post("/api/v1/capture", single).status == 200


def test_cpu_pressure(serve, steered, endpoint, tmp_path):
    """With what the kernel says made up, by a mount that only contraced sees."""
    need(PRESSURE.exists(), "the kernel has no pressure stall information")

    def body():
        made_up = tmp_path / "pressure"
        write_pressure(made_up, 10)
        for path in (PRESSURE, cgroup_pressure()):
            if path:
                run("mount", "--bind", made_up, path)
        s = serve(healthy())
        d = steered(
            [job("s", s.address)], [endpoint.option], cpu_pressure="60%", flag_file=None,
            incidents={**MANY, "cpu_pressure_ceiling": "90%"},
        )  # fmt: skip
        d.wait_captured(count=2)
        assert d.log(message_id=SUSPENDED) == []
        write_pressure(made_up, 61)
        said = wait_suspended(d, "suspended")
        assert said == (
            "CPU pressure is 61%, the limit is 60% (/proc/pressure/cpu): "
            "suspended, no scheduled captures"
        )
        assert_quiet(d, s)
        assert_incidents(endpoint, made_up)
        assert_on_demand(d)
        mark = d.mark()
        write_pressure(made_up, 50)  # not low enough
        assert_quiet(d, s, seconds=7)
        write_pressure(made_up, 5)
        assert wait_suspended(d, "resumed", mark) == "CPU pressure is down to 5%: resumed"
        d.wait_captured(after=mark, count=2)
        assert not d.problems()
        d.stop()

    world.inside(body, tmp_path)


def test_cgroup_pressure(serve, steered, tmp_path):
    """The higher of the two counts: the machine has time, our cgroup has not."""
    path = cgroup_pressure()
    need(PRESSURE.exists() and path, "no pressure stall information of a cgroup")

    def body():
        idle, busy = tmp_path / "idle", tmp_path / "busy"
        write_pressure(idle, 0)
        write_pressure(busy, 100)
        run("mount", "--bind", idle, PRESSURE)
        run("mount", "--bind", busy, path)
        s = serve(healthy())
        d = steered([job("s", s.address)], cpu_pressure=0.6)
        assert f"is 100%, the limit is 60% ({path})" in wait_suspended(d, "suspended")
        d.stop()

    world.inside(body, tmp_path)


def test_no_pressure_information(serve, steered, tmp_path):
    """One line, and captures go on."""

    def body():
        nothing = tmp_path / "nothing"
        nothing.mkdir()
        if PRESSURE.exists():
            run("mount", "--bind", nothing, PRESSURE.parent)
        run("mount", "--bind", nothing, "/sys/fs/cgroup")
        s = serve(healthy())
        d = steered([job("s", s.address)], cpu_pressure="60%")
        d.wait_log("suspend.cpu_pressure has no effect; the kernel was built or started without it")
        d.wait_captured(count=7)  # another value in between
        assert len(d.problems()) == 1
        assert d.log(message_id=SUSPENDED) == []
        d.stop()

    world.inside(body, tmp_path)


def test_real_pressure(serve, steered):
    """More work than processors."""
    need(PRESSURE.exists(), "the kernel has no pressure stall information")
    s = serve(healthy())
    with contextlib.ExitStack() as stack:
        for _ in range(3 * os.cpu_count()):
            busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
            stack.callback(busy.wait)
            stack.callback(busy.kill)
        d = steered([job("s", s.address)], cpu_pressure="5%")
        wait_suspended(d, "CPU pressure is")
        assert_on_demand(d)
    d.stop()
