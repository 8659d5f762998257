"""Health: is the process alive, and is everything up that it needs."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from resume_optimizer.api.state import api_of
from resume_optimizer.dependencies import ready

router = APIRouter()


@router.get("/health/live")
async def live() -> dict[str, str]:
    """Answer: that is all it takes to be alive."""
    return {"status": "ok"}


@router.get("/health/ready")
@router.get("/health")
async def readiness(request: Request) -> Response:
    """Say of each dependency whether it answers and how fast; 503 when one that is needed
    does not. A language model that fails makes the service degraded, not unready."""
    results = await api_of(request).dependencies.recent()
    is_ready = ready(results)
    degraded = is_ready and not all(result.up for result in results)
    body: dict[str, Any] = {
        "status": "degraded" if degraded else "ok" if is_ready else "unavailable",
        "dependencies": [
            {
                "name": result.name,
                "up": result.up,
                "latency_seconds": round(result.latency_seconds, 6),
                "detail": result.detail,
            }
            for result in results
        ],
    }
    return JSONResponse(
        body, status_code=200 if is_ready else 503, headers={"cache-control": "no-store"}
    )
