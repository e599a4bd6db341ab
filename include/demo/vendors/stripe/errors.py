"""Stripe's errors: a status and an object `error`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from starlette.responses import Response


class StripeError(Exception):
    """An error as Stripe answers it.

    Args:
        message: the text for people.
        values: further keys of the error: code, param.
    """

    def __init__(self, status: int, message: str, type_: str = "invalid_request_error", **values: Any) -> None:
        super().__init__(message)
        self.status = status
        self.headers: dict[str, str] = {}
        self.error = {**values, "message": message, "type": type_}

    def response(self) -> Response:
        """The answer."""
        from starlette.responses import JSONResponse

        return JSONResponse({"error": self.error}, self.status, self.headers)


def missing(kind: str, id_: str, param: str, status: int = 404) -> StripeError:
    """No object has this id."""
    return StripeError(status, f"No such {kind}: '{id_}'", code="resource_missing", param=param)


def too_many(reason: str) -> StripeError:
    """Too many requests. Stripe says which limit, but not how long to wait."""
    error = StripeError(429, "Too many requests hit the API too quickly. Slow down.", code="rate_limit")
    error.headers = {"Stripe-Rate-Limited-Reason": reason, "Stripe-Should-Retry": "true"}
    return error
