"""The alternatives of a regular expression, one of them forgotten."""

from __future__ import annotations


def without_one(pattern: str) -> list[str]:
    """Return the pattern without each of its outermost alternatives; empty if it has one only."""
    parts = _split(pattern)
    if len(parts) < 2:
        return []
    return ["|".join(parts[:number] + parts[number + 1 :]) for number in range(len(parts))]


def _split(pattern: str) -> list[str]:
    parts, depth, escaped, in_set = [""], 0, False, False
    for character in pattern:
        if escaped:
            escaped = False
        elif character == "\\":
            escaped = True
        elif in_set:
            in_set = character != "]"
        elif character == "[":
            in_set = True
        elif character in "()":
            depth += 1 if character == "(" else -1
        elif character == "|" and depth == 0:
            parts.append("")
            continue
        parts[-1] += character
    return parts
