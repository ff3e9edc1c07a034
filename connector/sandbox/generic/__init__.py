"""Operations without a handler of their own, answered by what the catalogue says of them."""

from __future__ import annotations

from connector.sandbox.generic.answering import answer

__all__ = ["answer"]
