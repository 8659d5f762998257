"""What went wrong with a vendor, in the service's words.

The vendors' SDKs are generated alike: exceptions of the same names, of the same meaning.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from resume_optimizer.llm.provider import ProviderFailure

OVERLOADED = 529
"""What Anthropic answers when it is too busy, beside 429."""


@contextmanager
def vendor_failures(vendor: ModuleType, everything: type[Exception]) -> Iterator[None]:
    """Turn the exceptions of the SDK `vendor` into ProviderFailure; `everything` is their base."""
    sdk: Any = vendor
    try:
        yield
    except sdk.APITimeoutError as error:
        raise ProviderFailure("timeout", "the model did not answer in time") from error
    except sdk.RateLimitError as error:
        raise ProviderFailure("rate_limited", "the vendor limits our rate") from error
    except (sdk.AuthenticationError, sdk.PermissionDeniedError) as error:
        raise ProviderFailure(
            "refused", "the vendor refused our key; look at LLM_API_KEY"
        ) from error
    except sdk.BadRequestError as error:
        raise ProviderFailure("refused", "the vendor refused the request") from error
    except sdk.APIStatusError as error:
        if error.status_code == OVERLOADED:
            raise ProviderFailure("rate_limited", "the vendor is overloaded") from error
        raise ProviderFailure("error", f"the vendor answered {error.status_code}") from error
    except sdk.APIConnectionError as error:
        raise ProviderFailure("error", "the vendor cannot be reached") from error
    except (everything, ValueError) as error:
        raise ProviderFailure("error", "the vendor's answer cannot be read") from error
