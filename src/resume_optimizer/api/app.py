"""The application over HTTP: routes, middleware, and what lives as long as the process."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from resume_optimizer.api import accounts, downloads, entrance, health, jobs, pages, resumes
from resume_optimizer.api.body import BodyLimitMiddleware
from resume_optimizer.api.problems import ProblemMiddleware, answer
from resume_optimizer.api.security import SecurityMiddleware
from resume_optimizer.api.site import STATIC, Site
from resume_optimizer.api.state import Api
from resume_optimizer.database.migrate import keep_migrating
from resume_optimizer.failures import Failure
from resume_optimizer.services import open_services
from resume_optimizer.settings import Settings
from watchkeeper import Telemetry, instrument

TITLE = "Resume Optimizer"


def create_app(settings: Settings, telemetry: Telemetry) -> FastAPI:
    """Return the application. Nothing has to be up for it to start: it says what is missing."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_services(settings, telemetry) as services:
            api = Api.of(services)
            app.state.api = api
            with services.untraced():
                beside = (
                    asyncio.create_task(keep_migrating(services.database), name="migrations"),
                    asyncio.create_task(api.dependencies.keep_looking(), name="dependencies"),
                )
            for task in beside:
                task.add_done_callback(_report)
            try:
                yield
            finally:
                for task in beside:
                    task.cancel()
                await asyncio.gather(*beside, return_exceptions=True)
                api.passwords.close()

    app = FastAPI(
        title=TITLE,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        redirect_slashes=False,  # it would send people to whatever host the request names
        telemetry={"tracing": False},
    )
    app.state.site = Site(settings, telemetry)
    for module in (accounts, resumes, jobs, downloads, health, entrance, pages):
        app.include_router(module.router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")

    async def say(request: Request, error: Exception) -> Response:
        return answer(request, error, telemetry)

    for kind in (Failure, HTTPException, RequestValidationError):
        app.add_exception_handler(kind, say)
    app.add_middleware(BodyLimitMiddleware, limits=settings.limits)
    app.add_middleware(ProblemMiddleware, telemetry=telemetry)
    app.add_middleware(SecurityMiddleware, telemetry=telemetry)
    instrument(app, telemetry)
    return app


def _report(task: asyncio.Task[Any]) -> None:
    if not task.cancelled() and task.exception() is not None:
        logging.getLogger(__name__).error(
            "the task %r ended", task.get_name(), exc_info=task.exception()
        )
