"""Every way in which the application says no, by a stable code.

A `Failure` is meant for the person who asked: its message says what is wrong and what to do,
and never holds a secret, a path or a traceback. The code is what programs compare; it does not
change once it is given. `CODES` is the one list of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Code:
    """What a code stands for.

    `status` is the HTTP status; `retryable` says whether the same request can succeed later
    without a change; `retry_after_seconds` is when (0: not known).
    """

    status: int
    message: str
    retryable: bool = False
    retry_after_seconds: float = 0.0


CODES: Mapping[str, Code] = MappingProxyType(
    {
        "request_invalid": Code(422, "The request is not as it should be."),
        "not_logged_in": Code(401, "Please log in first."),
        "credentials_wrong": Code(401, "The email address or the password is not right."),
        "email_invalid": Code(422, "That is not an email address."),
        "email_taken": Code(409, "There is an account with this email address. Please log in."),
        "password_weak": Code(422, "Please choose a password of 10 to 256 characters."),
        "form_expired": Code(403, "This form is too old. Please load the page again."),
        "too_many_attempts": Code(
            429, "Too many wrong passwords. Please wait before the next try.", True, 60.0
        ),
        "rate_limited": Code(429, "Too many requests. Please wait a moment.", True, 1.0),
        "oauth_disabled": Code(404, "Logging in with another account is not set up here."),
        "oauth_failed": Code(401, "The other service did not confirm who you are. Try again."),
        "oauth_unavailable": Code(
            503, "The service that confirms who you are does not answer.", True, 10.0
        ),
        "not_found": Code(404, "There is nothing here."),
        "method_not_allowed": Code(405, "This address does not take that kind of request."),
        "resume_not_found": Code(404, "There is no such resume in your account."),
        "job_not_found": Code(404, "There is no such job in your account."),
        "job_not_finished": Code(409, "The job has not finished yet.", True, 2.0),
        "file_missing": Code(422, "Please choose a file."),
        "file_too_large": Code(413, "The file is larger than 10 MB."),
        "body_too_large": Code(413, "The request is too large."),
        "body_too_slow": Code(408, "The request took too long to arrive. Please try again."),
        "file_type_unsupported": Code(415, "Only PDF, DOCX and plain text files can be read."),
        "file_password_protected": Code(
            422, "The file is protected by a password. Please upload one that is not."
        ),
        "file_empty": Code(422, "The file holds no text."),
        "file_scanned": Code(
            422, "The file holds pictures of pages, not text. Please upload one with text."
        ),
        "file_damaged": Code(422, "The file is damaged and cannot be read."),
        "file_expands_too_much": Code(422, "The file unpacks to far more than a resume."),
        "file_too_long": Code(422, "The file holds far more text than a resume."),
        "file_took_too_long": Code(422, "The file took too long to read."),
        "posting_missing": Code(422, "Please give the posting as text or as a URL, one of them."),
        "posting_too_short": Code(422, "The posting is too short to work with."),
        "posting_url_invalid": Code(422, "The posting's URL is not one that can be fetched."),
        "posting_url_private": Code(
            422, "The posting's URL leads into a private network. Please paste the text instead."
        ),
        "posting_unreachable": Code(
            422, "The posting's URL cannot be reached. Please paste the text instead."
        ),
        "posting_timeout": Code(
            422, "The posting's URL does not answer in time. Please paste the text instead."
        ),
        "posting_too_large": Code(422, "The posting is too large. Please paste its text instead."),
        "posting_not_text": Code(422, "The posting's URL does not lead to a page with text."),
        "llm_invalid_answer": Code(
            502, "The language model did not give a usable answer.", True, 5.0
        ),
        "llm_unavailable": Code(503, "The language model cannot be reached.", True, 10.0),
        "llm_timeout": Code(504, "The language model did not answer in time.", True, 10.0),
        "llm_rate_limited": Code(503, "The language model has no capacity now.", True, 30.0),
        "llm_refused": Code(502, "The language model refused this request."),
        "job_timeout": Code(504, "The job took too long.", True, 5.0),
        "job_attempts_exhausted": Code(500, "The job was interrupted too often and was given up."),
        "queue_full": Code(503, "Too many jobs are waiting. Please try again soon.", True, 15.0),
        "login_busy": Code(503, "Too many people log in right now. Please try again.", True, 2.0),
        "database_unavailable": Code(503, "The database does not answer.", True, 5.0),
        "cache_unavailable": Code(503, "The cache does not answer.", True, 5.0),
        "objects_unavailable": Code(503, "The file store does not answer.", True, 5.0),
        "file_lost": Code(500, "The stored file is no longer there."),
        "internal_error": Code(500, "Something went wrong here. It has been written down."),
    }
)


class Failure(Exception):  # noqa: N818 - a refusal is not an error of the program
    """A refusal by its code. `message` and `retry_after_seconds` default to the code's own.

    Raises KeyError when the code is not in `CODES`.
    """

    def __init__(
        self, code: str, message: str = "", *, retry_after_seconds: float | None = None
    ) -> None:
        known = CODES[code]
        super().__init__(message or known.message)
        self.code = code
        self.message = message or known.message
        self.status = known.status
        self.retryable = known.retryable
        self.retry_after_seconds = (
            known.retry_after_seconds if retry_after_seconds is None else retry_after_seconds
        )

    def __reduce__(self) -> tuple[type[Failure], tuple[str, str]]:
        return type(self), (self.code, self.message)
