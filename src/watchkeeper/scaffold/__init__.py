"""A first contract for a FastAPI project, read from its code without running it."""

from watchkeeper.scaffold.module import contract_module
from watchkeeper.scaffold.project import Project, read_project
from watchkeeper.scaffold.routes import Endpoint

__all__ = ["Endpoint", "Project", "contract_module", "read_project"]
