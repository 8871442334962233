"""pytest plugin: kazoo's own tests, against servers that are named from outside.

kazoo's harness starts an ensemble of Java servers. This puts other servers in its place. The command
that starts one comes, as a JSON list, in ZK_SERVER_COMMAND, to which the path of a zoo.cfg is appended.
ZK_SERVER_PORTS is a JSON list that has, for each server, its ports for clients, learners and votes: one
server stands alone, several are an ensemble. Tests that cannot run so are listed, with the reason, in
deselected.txt and in the file beside it that ZK_DESELECTED names.
"""

import atexit
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import types

import pytest

# kazoo's harness makes certificates with these; without TLS nothing is asked of them.
sys.modules.setdefault("jks", types.ModuleType("jks"))
sys.modules.setdefault("OpenSSL", types.ModuleType("OpenSSL"))

from kazoo.testing import harness

HERE = pathlib.Path(__file__).parent
START_SECONDS_MAX = 60


class Server:
    """One server with the few methods that kazoo's tests call."""

    host = "127.0.0.1"

    def __init__(self, sid, ports):
        self.sid = sid
        self.client_port = ports[sid - 1][0]
        self.membership = ""
        if len(ports) > 1:
            self.membership = "initLimit=10\nsyncLimit=5\n" + "".join(
                "server.%d=%s:%d:%d\n" % (sid, self.host, quorum, election)
                for sid, (_, quorum, election) in enumerate(ports, 1)
            )
        self.working_path = tempfile.mkdtemp(prefix="kazoo-")
        self.log_path = os.path.join(self.working_path, "server.log")
        self.process = None

    @property
    def address(self):
        return "%s:%d" % (self.host, self.client_port)

    # Without TLS the tests that want it are deselected; the harness still asks for the name.
    secure_address = address

    @property
    def running(self):
        return self.process is not None

    def run(self):
        if not self.running:
            self.spawn()
            self.await_serving()

    def spawn(self):
        data = os.path.join(self.working_path, "data")
        os.makedirs(data, exist_ok=True)
        pathlib.Path(data, "myid").write_text(str(self.sid))
        config = os.path.join(self.working_path, "zoo.cfg")
        with open(config, "w") as cfg:
            cfg.write(
                "tickTime=2000\ndataDir=%s/data\nclientPort=%d\nclientPortAddress=%s\n"
                "maxClientCnxns=0\n4lw.commands.whitelist=*\nreconfigEnabled=true\n"
                "readonlymode.enabled=true\nadmin.enableServer=false\n%s"
                % (self.working_path, self.client_port, self.host, self.membership)
            )
        command = json.loads(os.environ["ZK_SERVER_COMMAND"]) + [config]
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)

    def await_serving(self):
        deadline = time.monotonic() + START_SECONDS_MAX
        while b"Mode: " not in self.srvr():
            try:
                status = self.process.wait(timeout=0.02)
            except subprocess.TimeoutExpired:
                status = None
            if status is not None or time.monotonic() > deadline:
                raise RuntimeError("no server: %s\n%s" % (status, "".join(self.get_logs())))

    def srvr(self):
        try:
            with socket.create_connection((self.host, self.client_port), 1) as word:
                word.sendall(b"srvr")
                answer = b""
                while chunk := word.recv(4096):
                    answer += chunk
                return answer
        except OSError:
            return b""

    def stop(self):
        if self.running:
            self.process.terminate()
            self.process.wait()
            self.process = None

    def reset(self):
        self.stop()
        shutil.rmtree(os.path.join(self.working_path, "data"), True)

    def destroy(self):
        self.stop()
        shutil.rmtree(self.working_path, True)

    def get_logs(self, num_lines=100):
        try:
            with open(self.log_path, errors="replace") as log:
                return log.readlines()[-num_lines:]
        except FileNotFoundError:
            return []


class Cluster(list):
    """What kazoo calls a cluster."""

    def start(self):
        for server in self:
            if not server.running:
                server.spawn()
        for server in self:
            server.await_serving()

    def stop(self):
        for server in self:
            server.stop()

    def terminate(self):
        for server in self:
            server.destroy()

    def reset(self):
        for server in self:
            server.reset()

    def get_logs(self):
        return [line for server in self for line in server.get_logs()]


def deselected():
    """Test ids (a class or module stands for all in it) and the reason of each."""
    reasons = {}
    for name in ("deselected.txt", os.environ["ZK_DESELECTED"]):
        for line in (HERE / name).read_text().splitlines():
            if line.strip() and not line.startswith("#"):
                test, reason = line.split(None, 1)
                reasons[test] = reason
    return reasons


def pytest_configure(config):
    ports = json.loads(os.environ["ZK_SERVER_PORTS"])
    cluster = Cluster(Server(sid, ports) for sid in range(1, len(ports) + 1))
    atexit.register(cluster.terminate)
    harness.get_global_cluster = lambda: cluster


def pytest_collection_modifyitems(config, items):
    reasons = deselected()
    unused = set(reasons)
    kept, left_out = [], []
    for item in items:
        name = item.nodeid.split("tests/", 1)[-1]
        listed = [test for test in reasons if name == test or name.startswith(test + "::")]
        unused.difference_update(listed)
        (left_out if listed else kept).append(item)
    if unused:
        raise pytest.UsageError("unknown tests are deselected: %s" % sorted(unused))
    config.hook.pytest_deselected(items=left_out)
    items[:] = kept


def pytest_sessionfinish(session, exitstatus):
    """A test that skips itself would be missed: it fails the run unless it is listed."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    for skipped in reporter.stats.get("skipped", ()):
        reporter.write_line("skipped itself: %s" % skipped.nodeid)
        session.exitstatus = exitstatus or 1
