import ipaddress
from pathlib import Path

import asyncpg
import pytest
import redis.asyncio

from resume_optimizer.devstack.servers import running_servers

LISTENING = "0A"

pytestmark = [pytest.mark.servers, pytest.mark.anyio]


async def test_a_second_start_finds_what_the_first_one_kept(tmp_path):
    with running_servers(tmp_path) as servers:
        database = await asyncpg.connect(servers.environment["DATABASE_URL"])
        await database.execute("create table kept (n int); insert into kept values (42)")
        await database.close()
        for name in servers.children:
            servers.kill(name)
    with running_servers(tmp_path) as servers:
        database = await asyncpg.connect(servers.environment["DATABASE_URL"])
        assert await database.fetchval("select n from kept") == 42
        await database.close()


async def test_nobody_gets_in_without_the_password(servers):
    url = servers.environment["CACHE_URL"]
    stranger = redis.asyncio.from_url(f"redis://{url.rpartition('@')[2]}")
    with pytest.raises(redis.exceptions.AuthenticationError):
        await stranger.ping()
    await stranger.aclose()
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(servers.environment["DATABASE_URL"], password="guess")


def test_no_server_runs_as_root_and_none_has_a_password_on_its_command_line(servers):
    secrets = [servers.environment[name] for name in ("OBJECTS_SECRET_KEY", "OBJECTS_ACCESS_KEY")]
    secrets.append(servers.environment["DATABASE_URL"].partition("@")[0].rpartition(":")[2])
    for child in servers.children.values():
        process = Path(f"/proc/{child.process.pid}")
        assert process.stat().st_uid != 0
        command_line = (process / "cmdline").read_text(encoding="utf-8")
        assert not any(secret in command_line for secret in secrets)


def test_nothing_listens_beyond_loopback(servers):
    for name, child in servers.children.items():
        addresses = listening_addresses(child.process.pid)
        assert addresses, name
        assert all(ipaddress.ip_address(address).is_loopback for address in addresses), name


def listening_addresses(pid: int) -> list[bytes]:
    """The addresses that a process listens on, from the kernel's own tables."""
    links = [str(entry.readlink()) for entry in Path(f"/proc/{pid}/fd").iterdir()]
    inodes = {link[len("socket:[") : -1] for link in links if link.startswith("socket:[")}
    found = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            columns = line.split()
            if columns[3] == LISTENING and columns[9] in inodes:
                words = bytes.fromhex(columns[1].partition(":")[0])
                in_order = [words[at : at + 4][::-1] for at in range(0, len(words), 4)]
                found.append(b"".join(in_order))
    return found
