# SPDX-License-Identifier: Apache-2.0
"""Traces and answers that end before the time that was asked for, as real Go services and what stands
before them make them: each says what ended it."""

import os
import subprocess

import pytest
from support import GO_ENV, PATIENCE, go_version, job, need

SERVICE = """
package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	_ "net/http/pprof"
	"time"
)

const limit = 300 * time.Millisecond

// A ResponseWriter without Unwrap hides the connection from net/http/pprof.
type counted struct{ http.ResponseWriter }

func main() {
	pprof := http.DefaultServeMux
	serve := func(s *http.Server) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			panic(err)
		}
		fmt.Println(l.Addr())
		go s.Serve(l)
	}
	serve(&http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, stop := context.WithTimeout(r.Context(), limit)
		defer stop()
		pprof.ServeHTTP(w, r.WithContext(ctx))
	})})
	serve(&http.Server{WriteTimeout: limit, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		pprof.ServeHTTP(counted{w}, r)
	})})
	serve(&http.Server{Handler: http.TimeoutHandler(pprof, limit, "too slow")})
	serve(&http.Server{WriteTimeout: limit, Handler: pprof})
	select {}
}
"""
NAMES = ("middleware", "hidden", "handler", "plain")


@pytest.fixture(scope="module")
def addresses(tmp_path_factory):
    """{name: where a service with that kind of timeout listens}."""
    need(go_version() >= (1, 23), "no Go 1.23 or newer on the PATH")
    directory = tmp_path_factory.mktemp("timeouts")
    (directory / "main.go").write_text(SERVICE)
    subprocess.run(
        ["go", "build", "-o", "service", "main.go"],
        cwd=directory, check=True, timeout=600, env={**os.environ, **GO_ENV},
    )  # fmt: skip
    service = subprocess.Popen([directory / "service"], stdout=subprocess.PIPE, text=True)
    yield {name: service.stdout.readline().strip() for name in NAMES}
    service.kill()
    service.wait(PATIENCE)
    service.stdout.close()


def one(daemon, address, **more):
    return daemon([job("s", address, seconds=1, **more)])


def test_middleware(daemon, addresses):
    """The trace ends well, but early: it is kept, and nowhere called complete."""
    d = one(daemon, addresses["middleware"])
    line = d.wait_captured(result="short", level="warn")
    assert "it spans 0." in line["msg"] and " of the 1 s that were asked for" in line["msg"]
    assert "WriteTimeout" in line["msg"] and "middleware" in line["msg"]
    record = d.spool.record(line["key"])
    assert record["complete"] is False and record["truncated"]["by"] == "short"
    assert record["truncated"]["received"] == record["bytes"]
    assert 0.2 < record["seconds"] < 0.9 and record["requested_seconds"] == 1
    d.capture_now()
    d.wait_captured(count=2)
    assert len(d.problems()) == 1  # the first in a row
    d.spool.check()
    d.stop()


def test_hidden_write_timeout(daemon, addresses):
    d = one(daemon, addresses["hidden"])
    line = d.wait_log(service="s", result="closed", level="warn")
    assert "of the 1 s that were asked for" in line["msg"] and "WriteTimeout" in line["msg"]
    d.stop()


def test_timeout_handler(daemon, addresses):
    d = one(daemon, addresses["handler"])
    line = d.wait_log(service="s", result="http_status", level="warn")
    assert '503: "too slow", after 0.' in line["msg"] and "http.TimeoutHandler" in line["msg"]
    d.stop()


def test_no_harm_by_a_write_timeout_that_is_seen(daemon, addresses):
    """net/http/pprof lengthens it by itself."""
    d = one(daemon, addresses["plain"])
    line = d.wait_captured(result="ok")
    record = d.spool.record(line["key"])
    assert record["complete"] is True
    assert record["seconds"] == record["requested_seconds"] == 1
    d.stop()
