"""Finding a contract by the name that a command line gives it."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from watchkeeper.contract.contract import Contract
from watchkeeper.errors import ContractError


def load_contract(reference: str) -> Contract:
    """Return the contract that `package.module:NAME` names; the working directory counts.

    Raises ContractError when there is no such module or object, it cannot be imported, or it
    is something else.
    """
    module_name, _, name = reference.partition(":")
    if not module_name or not name:
        raise ContractError(f"{reference!r}: write it as package.module:NAME")
    working_directory = str(Path.cwd())
    if working_directory not in sys.path:
        sys.path.insert(0, working_directory)
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        raise ContractError(f"{reference!r}: there is no module {error.name}") from error
    except (ImportError, ValueError) as error:
        raise ContractError(f"{reference!r}: cannot be imported: {error}") from error
    found = getattr(module, name, None)
    if not isinstance(found, Contract):
        raise ContractError(f"{reference!r}: {module_name} has no contract called {name}")
    return found
