"""Which port a service gets."""

import socket
from collections.abc import Iterator

import pytest

from pipeline.supervisor.errors import SupervisorError
from pipeline.supervisor.ports import choose_port, http_url, is_free


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_set_port_that_is_taken_is_an_error_that_names_the_setting(taken: int) -> None:
    with pytest.raises(SupervisorError, match=rf"port {taken} \(TILLHOUSE_API_PORT\) on 127.0.0.1 is taken"):
        choose_port("127.0.0.1", taken, 8000, "TILLHOUSE_API_PORT")


def test_a_taken_port_that_is_not_set_gives_the_next_free_one(taken: int) -> None:
    chosen = choose_port("127.0.0.1", None, taken, "TILLHOUSE_API_PORT")
    assert taken < chosen < taken + 100
    assert is_free("127.0.0.1", chosen)


def test_a_free_port_that_is_set_is_kept(taken: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        free = server.getsockname()[1]
    assert choose_port("127.0.0.1", free, taken, "TILLHOUSE_API_PORT") == free


def test_a_port_on_which_all_addresses_are_served_is_taken() -> None:
    with socket.create_server(("0.0.0.0", 0)) as server:
        assert not is_free("127.0.0.1", server.getsockname()[1])


def test_an_address_of_another_machine_is_an_error() -> None:
    with pytest.raises(SupervisorError, match=r"no free port on 192\.0\.2\.1"):
        choose_port("192.0.2.1", None, 8000, "TILLHOUSE_API_PORT")


def test_urls_are_those_a_browser_on_this_machine_opens() -> None:
    assert http_url("0.0.0.0", 8000) == "http://127.0.0.1:8000"
    assert http_url("::", 3000) == "http://[::1]:3000"
    assert http_url("shop.example", 80) == "http://shop.example:80"
