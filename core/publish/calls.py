"""Calls that survive a bad line: what may be repeated, and what has to be looked up first."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from fotabuild.errors import AnswerError, NetworkError, ServiceError
from fotabuild.publish.pacing import Clock, Pacing
from fotabuild.publish.refusals import refusal
from fotabuild.publish.retry import TRANSIENT, Tries
from fotabuild.publish.transport import Answer, LostError, Request, Transport
from fotabuild.publish.values import Named, Page, decode

_Value = TypeVar("_Value")
_Made = TypeVar("_Made", bound=Named)


class Caller:
    """Calls of one service.

    Args:
        transport: the connection.
        pacing: how often, how long.
        clock: the time.
        chance: jitter.
        on_retry: hears why a request is tried again.
    """

    def __init__(
        self,
        transport: Transport,
        pacing: Pacing,
        clock: Clock,
        chance: random.Random,
        on_retry: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._transport = transport
        self.pacing = pacing
        self.clock = clock
        self.chance = chance
        self._on_retry = on_retry

    @property
    def url(self) -> str:
        """The address of the service."""
        return self._transport.address.url

    def close(self) -> None:
        """Close the connection."""
        self._transport.close()

    def once(self, request: Request) -> Answer:
        """Ask once.

        Raises:
            ServiceError: any answer but a success.
            NetworkError: no answer; its ``sent`` says whether the request may have been done.
        """
        try:
            answer = self._transport.exchange(request)
        except LostError as lost:
            raise self._network_error(request, lost) from None
        if 200 <= answer.status < 300:
            return answer
        error = refusal(request, answer, self._transport.address.url, self._transport.key)
        error.retry_after = answer.headers.get("retry-after")
        raise error

    def get(self, path: str, kind: type[_Value], query: Mapping[str, str] | None = None) -> _Value:
        """Read something; asks again until there is an answer.

        Raises:
            ServiceError: there is none.
        """
        request = Request("GET", path, query=query or {})
        return self._persist(lambda: self._decoded(request, kind))

    def get_once(self, path: str, kind: type[_Value]) -> _Value:
        """Read something; asks once."""
        return self._decoded(Request("GET", path), kind)

    def delete(self, path: str) -> bool:
        """Delete something; return False when it does not exist."""

        def attempt() -> bool:
            try:
                self.once(Request("DELETE", path))
                return True
            except ServiceError as error:
                if error.status != 404:
                    raise
                return False

        return self._persist(attempt)

    def every(
        self, path: str, kind: type[_Made], query: Mapping[str, str] | None = None
    ) -> Iterator[_Made]:
        """Yield a whole list, page by page (section 1.1)."""
        after: dict[str, str] = {}
        seen: set[str] = set()
        page_of: type[Page[_Made]] = Page[kind]  # type: ignore[valid-type]
        for _ in range(self.pacing.pages):
            page = self.get(path, page_of, {**(query or {}), "limit": "1000", **after})
            yield from (item for item in page.data if item.id not in seen)
            new = {item.id for item in page.data} - seen
            if not page.has_more or not new:
                return
            seen |= new
            after = {"after": page.data[-1].id}
        raise AnswerError(f"GET {path}: a list of more than {self.pacing.pages} pages")

    def create(
        self,
        request: Request,
        kind: type[_Made],
        find: Callable[[], list[_Made]],
        on_doubt: Callable[[], None] = lambda: None,
    ) -> _Made:
        """Make something that has a unique name, once, also on a line that loses answers.

        After a lost answer the service is asked for the name: found, it is taken; not found, the
        request is repeated. Where the service cannot be asked, it is repeated once.

        Args:
            request: makes it.
            kind: what is made.
            find: looks for the name.
            on_doubt: called before a repetition that may make a second one of the same name.

        Raises:
            ServiceError: it was not made, or it is not known whether it was.
        """
        tries = Tries(self.pacing, self.clock, self.chance)
        doubt = blind = False
        failure: ServiceError = NetworkError(f"{request}: not tried")
        for _ in tries:
            try:
                return self._decoded(request, kind)
            except ServiceError as error:
                failure = error
            lost = failure.status is None
            if lost and not failure.sent:
                if failure.final and not doubt:
                    raise failure
            elif lost or failure.status in TRANSIENT or failure.status == 409 or doubt:
                # A refusal may be because of an earlier try that was done after all.
                doubt = True
                on_doubt()
                try:
                    found = find()
                except ServiceError:
                    if blind:
                        raise failure from None
                    found, blind = [], True
                if found:
                    return found[0]
            # A key that is not accepted has made nothing, on whatever way it came.
            failure.sent = doubt or failure.status not in (None, 401)
            if not lost and failure.status not in TRANSIENT:
                raise failure
            self._on_retry(str(failure))
            tries.wait(failure.retry_after)
        raise failure

    def _decoded(self, request: Request, kind: type[_Value]) -> _Value:
        answer = self.once(request)
        try:
            return decode(answer.body, kind)
        except AnswerError as error:
            error.problem = f"{request}: status {answer.status}, {error.problem}"
            raise

    def _persist(self, attempt: Callable[[], _Value]) -> _Value:
        tries = Tries(self.pacing, self.clock, self.chance)
        failure: ServiceError | None = None
        for _ in tries:
            try:
                return attempt()
            except ServiceError as error:
                if not transient(error):
                    raise
                failure = error
            self._on_retry(str(failure))
            tries.wait(failure.retry_after)
        assert failure is not None
        raise failure

    def _network_error(self, request: Request, lost: LostError) -> NetworkError:
        url = self._transport.address.url
        error = NetworkError(
            f"{request}: {url}: {lost.problem}",
            remedy="check the address, the network and the proxy settings",
        )
        error.sent, error.final = lost.sent, lost.final
        return error


def transient(error: ServiceError) -> bool:
    """Return whether the same request may succeed later."""
    if error.status is None:
        return not error.final
    return error.status in TRANSIENT
