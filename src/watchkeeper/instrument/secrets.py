"""How secrets look: names that give them away, and forms that can be nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

_PASSWORD_NAMES = frozenset(
    ("password", "passwd", "pwd", "passphrase", "new_password", "old_password", "secret")
)
_TOKEN_NAMES = frozenset(
    (
        "authorization",
        "proxy_authorization",
        "cookie",
        "set_cookie",
        "token",
        "api_key",
        "apikey",
        "x_api_key",
        "access_key",
        "secret_key",
        "private_key",
        "client_secret",
        "session",
        "session_id",
        "sessionid",
        "csrf",
        "jwt",
        "otp",
        "credentials",
    )
)
_PERSONAL_NAMES = {
    "email": "email",
    "email_address": "email",
    "phone": "phone",
    "phone_number": "phone",
    "mobile": "phone",
    "ssn": "national_id",
    "social_security_number": "national_id",
    "passport": "national_id",
    "national_id": "national_id",
    "card_number": "card",
    "credit_card": "card",
    "iban": "card",
    "postal_address": "address",
    "home_address": "address",
    "street": "address",
}
_TOKEN_ENDINGS = ("_token", "_api_key", "_secret_key", "_access_key", "_private_key")
_PASSWORD_ENDINGS = ("_password", "_passphrase", "_secret")

SECRET_HINTS = (
    "pass", "pwd", "secret", "token", "auth", "bearer", "basic ", "key", "cookie", "session",
    "://", "eyj", "sk-", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat", "xox", "akia",
    "asia", "aiza", "glpat", "csrf", "jwt", "otp", "sig=", "signature=", "code=", "hf_", "k_live_",
    "k_test_", "npm_", "pypi-", "sg.", "ya29.",
)  # fmt: skip
"""Lower-case text without any of these holds no secret that find_secrets would find."""

_NAMED = re.compile(
    r"""(?ix)
    (?P<name> (?<![a-z0-9])
      (?: (?P<password> (?:[a-z0-9]{1,32}[_-]){0,4} (?:password|passwd|pwd|passphrase|secret)
            | (?<=[?&])pass )
        | (?:[a-z0-9]{1,32}[_-]){0,4} (?:token | (?:api|access|secret|private)[_-]?key)
        | (?:proxy-)?authorization | (?P<cookie>(?:set-)?cookie) | session(?:[_-]?id)?
        | csrf | jwt | otp
        | (?<=[?&])(?:x-(?:amz|goog)-)?sig(?:nature)? | (?<=[?&])code(?==[^\s&]{16}) ) )
    (?P<joint> ["']? \s* [:=] \s* )
    (?: "[^"]*(?:"|\Z) | '[^']*(?:'|\Z)
      | (?(cookie) [^\s;,"']+ (?:;[ ]?[^\s;,"'=]+(?:=[^\s;,"']*)?)*
        | (?: digest\s[^\n\r]+ | (?:(?:bearer|basic|token)\s+)? [^\s,;&"'<>(){}\[\]]+ ) ) )
    """
)
"""A name that gives a secret away, and the secret. A cookie header holds several; what only a query
would call so (`pass`, `sig`, `code`) stands after `?` or `&`."""
_SCHEME = re.compile(r"(?i)\b(?P<scheme>bearer|basic)\s+[a-z0-9._~+/-]{8,}=*")
_USERINFO = re.compile(
    r"(?P<scheme>\b[a-zA-Z][a-zA-Z0-9+.-]{0,20}://)[^\s/@:]{0,256}:[^\s/@]{1,256}@"
)
_FORMS = re.compile(
    r"""(?x)
      -----BEGIN\ [A-Z ]*PRIVATE\ KEY-----(?:.|\n)*?(?:-----END\ [A-Z ]*PRIVATE\ KEY-----|\Z)
    | \beyJ[\w-]{8,1024}\.[\w-]+(?:\.[\w-]*)?
    | \bsk-[\w-]{16,}
    | \bgh[pousr]_[A-Za-z0-9]{20,} | \bgithub_pat_\w{20,}
    | \bglpat-[\w-]{16,}
    | \bxox[abeoprs]-[\w-]{8,}
    | \b(?:AKIA|ASIA)[0-9A-Z]{16}\b
    | \bAIza[\w-]{30,}
    | \bhf_[A-Za-z0-9]{20,} | \bnpm_[A-Za-z0-9]{30,} | \bpypi-[\w-]{16,}
    | \b[rs]k_(?:live|test)_[A-Za-z0-9]{16,}
    | \bSG\.[\w-]{16,}\.[\w-]{16,} | \bya29\.[\w-]{16,}
    """
)

Mark = Callable[[str], str]


def find_secrets(text: str, mark: Mark) -> str:
    """Return `text` with every secret replaced by what `mark(kind)` gives."""
    text = _FORMS.sub(lambda _: mark("token"), text)
    text = _USERINFO.sub(lambda found: f"{found['scheme']}{mark('password')}@", text)
    text = _NAMED.sub(
        lambda found: (
            f"{found['name']}{found['joint']}{mark('password' if found['password'] else 'token')}"
        ),
        text,
    )
    return _SCHEME.sub(lambda found: f"{found['scheme']} {mark('token')}", text)


@lru_cache(maxsize=2048)
def kind_of_name(name: str) -> str:
    """Return the kind of secret that a field of this name holds, or ''.

    The last part of a dotted name counts: `http.request.header.authorization` is a token,
    `gen_ai.usage.input_tokens` is a figure.
    """
    last = name.lower().replace("-", "_").rpartition(".")[2]
    if last in _TOKEN_NAMES or last.endswith(_TOKEN_ENDINGS):
        return "token"
    if last in _PASSWORD_NAMES or last.endswith(_PASSWORD_ENDINGS):
        return "password"
    return _PERSONAL_NAMES.get(last, "")
