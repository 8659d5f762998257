import socket

import pytest

from resume_optimizer.devstack.ports import (
    PortTakenError,
    free_ports,
    is_open,
    listen,
    require_free,
)


def test_a_taken_port_says_for_what_it_is_needed_and_how_to_choose_another():
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        with pytest.raises(PortTakenError, match=rf"port {port} for the API .* API_PORT=PORT"):
            require_free(port, "the API", "API_PORT")


def test_free_ports_differ_and_can_be_listened_on():
    ports = free_ports(3)
    assert len(set(ports)) == 3
    assert not is_open(ports[0])
    with listen(ports[0], "the API", "API_PORT"):
        assert is_open(ports[0])
