"""The contract as people read it: each signal, who emits it, who uses it, and what it weighs."""

from watchkeeper.catalogue.document import catalogue
from watchkeeper.catalogue.emitters import Emitters, emitters_in
from watchkeeper.catalogue.runbooks import runbooks
from watchkeeper.catalogue.usage import Usage, usages

__all__ = ["Emitters", "Usage", "catalogue", "emitters_in", "runbooks", "usages"]
