"""The account that servers run under: an ordinary one, also when the launcher is root."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pwd
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

UNPRIVILEGED = "nobody"
REACHABLE_ROOT = Path("/var/tmp")


@dataclass(frozen=True, slots=True)
class Account:
    """Who runs the servers and where that account may keep data and find programs.

    `user_id` and `group_id` are None when the launcher itself is an ordinary user.
    """

    home: Path
    user_id: int | None = None
    group_id: int | None = None

    def directory(self, name: str) -> Path:
        """Return a private directory under home that belongs to the account."""
        path = self.home / name
        path.mkdir(parents=True, exist_ok=True)
        self.own(path, 0o700)
        return path

    def own(self, path: Path, mode: int) -> None:
        """Give a file or directory to the account."""
        if self.user_id is not None and self.group_id is not None:
            os.chown(path, self.user_id, self.group_id)
        path.chmod(mode)

    def program(self, path: Path) -> Path:
        """Return `path`, or a copy of it where the account can reach it."""
        if self.user_id is None or _is_reachable(path):
            return path
        copy = self.home / "programs" / path.name
        if not copy.exists():
            copy.parent.mkdir(parents=True, exist_ok=True)
            if path.is_dir():
                shutil.copytree(path, copy, copy_function=_link_or_copy, symlinks=True)
            else:
                _link_or_copy(str(path), str(copy))
        return copy


def account(directory: Path) -> Account:
    """Return the account for servers whose data belong under `directory`.

    An ordinary user runs them itself. Root drops to `nobody`; if that account cannot reach
    `directory`, its data live in a directory of their own under /var/tmp.
    """
    directory.mkdir(parents=True, exist_ok=True)
    if os.geteuid() != 0:
        return Account(directory)
    entry = pwd.getpwnam(UNPRIVILEGED)
    home = directory
    if not _is_reachable(directory):
        digest = hashlib.sha256(str(directory.resolve()).encode()).hexdigest()[:12]
        home = REACHABLE_ROOT / f"resume-optimizer-{digest}"
        home.mkdir(mode=0o755, exist_ok=True)
    return Account(home, entry.pw_uid, entry.pw_gid)


def package_directory(name: str) -> Path:
    """Return where an installed package lies, without importing it."""
    found = importlib.util.find_spec(name)
    if found is None or found.origin is None:
        raise ModuleNotFoundError(f"package {name} is not installed: install the extra `app`")
    return Path(found.origin).parent


def _is_reachable(path: Path) -> bool:
    """Whether everybody may pass through every directory above `path` and into it."""
    resolved = path.resolve()
    return all(place.stat().st_mode & 0o001 for place in (resolved, *resolved.parents))


def _link_or_copy(source: str, target: str) -> str:
    """Link a file, which takes no space, or copy it where a link cannot reach."""
    with suppress(OSError):
        os.link(source, target)
        return target
    return shutil.copy2(source, target)
