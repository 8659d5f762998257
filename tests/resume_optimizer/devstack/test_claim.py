import socket

import pytest

from resume_optimizer.devstack.claim import AlreadyRunningError, claim_ports, only_launcher
from resume_optimizer.devstack.options import Ports
from resume_optimizer.devstack.ports import PortTakenError, free_ports


def test_data_have_one_launcher_at_a_time(tmp_path):
    with (
        only_launcher(tmp_path),
        pytest.raises(AlreadyRunningError, match="in use by another"),
        only_launcher(tmp_path),
    ):
        pass


def test_a_launcher_knows_whether_the_one_before_was_cut_off(tmp_path):
    with only_launcher(tmp_path) as cut_off:
        assert not cut_off
    with only_launcher(tmp_path) as cut_off:
        assert not cut_off
    (tmp_path / "launcher.lock").write_text("running")
    with only_launcher(tmp_path) as cut_off:
        assert cut_off


def test_one_taken_port_is_enough_to_refuse():
    names = list(Ports.__dataclass_fields__)
    ports = Ports(**dict(zip(names, free_ports(len(names)), strict=True)))
    with (
        socket.create_server(("127.0.0.1", ports.cache_port)),
        pytest.raises(PortTakenError, match=r"for the cache is taken.*CACHE_PORT"),
    ):
        claim_ports(ports, cut_off=False)
    claim_ports(ports, cut_off=False).close()
