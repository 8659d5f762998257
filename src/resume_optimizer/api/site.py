"""The look of the pages: templates, the stylesheet, and what every page is told."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from resume_optimizer.api import forms
from resume_optimizer.api.sessions import Session
from resume_optimizer.failures import Failure
from resume_optimizer.settings import Settings

STATIC = Path(__file__).with_name("static")


class Site:
    """Renders pages. Everything in them is escaped; a name that is missing is an error."""

    def __init__(self, settings: Settings) -> None:
        self._secure = settings.secure_cookies
        self._templates = Environment(
            loader=PackageLoader("resume_optimizer.api"),
            autoescape=select_autoescape(default=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals["oauth"] = settings.oauth is not None
        self._templates.filters["moment"] = _moment

    def page(
        self,
        request: Request,
        template: str,
        session: Session | None,
        *,
        status: int = 200,
        **values: Any,
    ) -> Response:
        """Return a page. `failure` among the values is shown above the form it belongs to."""
        token = forms.token_for(request, session)
        values.setdefault("failure", None)
        html = self._templates.get_template(template).render(
            session=session, form_token=token, **values
        )
        response = HTMLResponse(
            html, status_code=status, headers={"cache-control": "private, no-store"}
        )
        if session is None:
            forms.put_cookie(response, token, secure=self._secure)
        return response

    def problem_page(self, request: Request, failure: Failure, trace_id: str) -> Response:
        """Return the page that says what went wrong, to anybody."""
        return self.page(
            request,
            "problem.html",
            None,
            status=failure.status,
            problem=failure,
            trace_id=trace_id,
        )


def _moment(time: datetime) -> str:
    return f"{time:%d %b %Y, %H:%M} UTC"
