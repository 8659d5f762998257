"""The API and the pages: what people and programs ask of the application over HTTP."""

from resume_optimizer.api.app import create_app

__all__ = ["create_app"]
