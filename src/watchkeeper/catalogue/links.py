"""Links from a document to runbooks, which alerts name from the top of the repository."""

from __future__ import annotations

from posixpath import relpath


def runbook_link(runbook: str, folder: str) -> str:
    """Return a Markdown link that works in a document under `folder`."""
    if "://" in runbook:
        return f"[runbook]({runbook})"
    path, hash_sign, section = runbook.partition("#")
    return f"[{section or path}]({relpath(path, folder or '.')}{hash_sign}{section})"
