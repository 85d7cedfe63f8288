"""Simulators for the tests: one a file by default, on the estate of `tenant.py`."""

import copy

import pytest

import tenant
from simulator import Simulator


@pytest.fixture(scope="module")
def estate():
    """The estate that this file's simulator serves; a file may change it by a fixture of the same name."""
    return copy.deepcopy(tenant.ESTATE)


@pytest.fixture(scope="module")
def simulator(estate):
    """A simulator over TLS, shared by the tests of one file."""
    with Simulator(estate) as running:
        yield running


@pytest.fixture(scope="module")
def plain_simulator(estate):
    """The same over plain http, for clients that put up with it."""
    with Simulator(estate, tls=False) as running:
        yield running


@pytest.fixture
def start():
    """Starts further simulators: `start(estate, "--auth", "strict", tls=True)`; they end with the test."""
    running = []

    def begin(estate, *options, tls=True):
        running.append(Simulator(estate, *options, tls=tls))
        return running[-1]

    yield begin
    for one in running:
        one.stop()
