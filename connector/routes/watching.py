"""What metrics hear of the calls of a run."""

from __future__ import annotations

from connector.model import Outcome
from connector.observing.genai import model_asked
from connector.observing.observer import Observer
from connector.outgoing import Effort
from connector.routes.desk import Watch

__all__ = ["watching"]


def watching(observer: Observer) -> Watch:
    """Tells an observer of every call that was made."""

    def watch(route: str, effort: Effort, outcome: Outcome) -> None:
        sent = effort.sent
        cost = observer.prices.of(outcome.body, model=model_asked(sent.request.get("payload") if sent else None))
        observer.metrics.called(
            client=effort.target,
            operation=effort.operation,
            state=outcome.state.value,
            seconds=sum(attempt.seconds + attempt.waited for attempt in outcome.attempts),
            status=outcome.status,
            route=route,
            model=cost.model,
            usage=cost.usage,
            cost=cost.amount,
        )

    return watch
