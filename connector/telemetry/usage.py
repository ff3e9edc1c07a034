"""What calls used, read from their answers: tokens under all the API's names for them, seconds, and searches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace

from connector.model import JSON, is_document, is_list

__all__ = ["NO_USAGE", "Usage", "answer_parts", "find_text", "find_tier", "read_usage", "usage_in"]

USAGE_KEYS = ("usage", "response", "body")
"""The keys that lead to usage: in an answer, in a stream's last event, in a line of a batch's output."""
MAX_DEPTH = 5
SEARCHES = {"web_search_call": "web_searches", "file_search_call": "file_searches"}
"""Items of an answer's output that are charged for by themselves."""

Part = Mapping[str, JSON]
NO_DETAILS: Part = {}


@dataclass(frozen=True, slots=True)
class Usage:
    """What one or more calls used.

    Attributes:
        input: tokens sent, cached or not, of every kind.
        cached: how many of them were read from a cache.
        output: tokens received, of every kind, reasoning included.
        reasoning: how many of them were reasoning.
        cache_write: how many of the input were written into a cache.
        cache_write_12h: how many of those stay there for 12 hours.
        input_audio: how many of the input were audio.
        cached_audio: how many of those were read from a cache.
        output_audio: how many of the output were audio.
        input_image: how many of the input were images.
        cached_image: how many of those were read from a cache.
        output_image: how many of the output were images.
        seconds: the length of audio that is charged by the hour.
        characters: of text that is read aloud, where they are charged.
        web_searches: searches of the web.
        file_searches: searches in vector stores.
    """

    input: int = 0
    cached: int = 0
    output: int = 0
    reasoning: int = 0
    cache_write: int = 0
    cache_write_12h: int = 0
    input_audio: int = 0
    cached_audio: int = 0
    output_audio: int = 0
    input_image: int = 0
    cached_image: int = 0
    output_image: int = 0
    seconds: float = 0.0
    characters: int = 0
    web_searches: int = 0
    file_searches: int = 0

    @property
    def total(self) -> int:
        """The tokens of both ways."""
        return self.input + self.output

    def __add__(self, other: Usage) -> Usage:
        return Usage(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))

    def __bool__(self) -> bool:
        return self.total > 0 or self.seconds > 0 or self.characters > 0

    def units(self) -> dict[str, float]:
        """Return how much of each unit of a price was used; no token counts twice."""
        cached = max(self.cached - self.cached_audio - self.cached_image, 0)
        audio, image = self.input_audio - self.cached_audio, self.input_image - self.cached_image
        plain = self.input - self.cached - self.cache_write - max(audio, 0) - max(image, 0)
        return {
            "input": max(plain, 0),
            "cached_input": cached,
            "cache_write": self.cache_write - self.cache_write_12h,
            "cache_write_12h": self.cache_write_12h,
            "output": max(self.output - self.output_audio - self.output_image, 0),
            "input_audio": max(audio, 0),
            "cached_audio": self.cached_audio,
            "output_audio": self.output_audio,
            "input_image": max(image, 0),
            "cached_image": self.cached_image,
            "output_image": self.output_image,
            "audio_hours": self.seconds / 3600,
            "characters": self.characters,
            "web_searches": self.web_searches,
            "file_searches": self.file_searches,
        }


NO_USAGE = Usage()


def read_usage(body: JSON) -> Usage:
    """Return what an answer or a usage object reports."""
    return usage_in(answer_parts(body))


def answer_parts(body: JSON) -> list[Part]:
    """Return an answer and the objects in it that may hold usage, the innermost first."""
    found: list[Part] = []
    inner = body
    while is_document(inner) and len(found) < MAX_DEPTH:
        found.insert(0, inner)
        for name in USAGE_KEYS:
            inner = found[0].get(name)
            if is_document(inner):
                break
    return found


def find_text(parts: list[Part], name: str) -> str:
    """Return the innermost text under a name; empty where there is none."""
    return next((text for part in parts if isinstance(text := part.get(name), str)), "")


def find_tier(parts: list[Part]) -> str:
    """Return the background window or the service tier that an answer names; empty where it names none."""
    return find_window(parts) or find_text(parts, "service_tier")


def find_window(parts: list[Part]) -> str:
    """Return the tier of an answer that was made within a background window; empty for any other."""
    for part in parts:
        options = part.get("background_options")
        window = options.get("completion_window") if is_document(options) else None
        if isinstance(window, str):
            return f"window-{window}"
    return ""


def usage_in(parts: list[Part]) -> Usage:
    """Return what the innermost part that reports usage says, with the searches beside it."""
    usage = next((found for part in parts if (found := _usage(part))), NO_USAGE)
    if usage.cache_write and _find_lifetime(parts) == "12h":
        usage = replace(usage, cache_write_12h=usage.cache_write)
    searches = dict(_searches(parts)) if usage else {}
    return usage + Usage(**searches) if searches else usage


def _find_lifetime(parts: list[Part]) -> JSON:
    """Return how long an answer says that what it wrote stays in the cache."""
    return next(
        (options.get("ttl") for part in parts if is_document(options := part.get("prompt_cache_options"))), None
    )


def _searches(parts: list[Part]) -> Iterator[tuple[str, int]]:
    for part in parts:
        output = part.get("output")
        if is_list(output):
            kinds = [SEARCHES[kind] for each in output if is_document(each) and (kind := each.get("type")) in SEARCHES]
            yield from ((unit, kinds.count(unit)) for unit in set(kinds))
            return


def _usage(reported: Part) -> Usage:
    """Read one usage object: some APIs say prompt and completion, all others input and output."""
    sent_count = _first(reported, ("input_tokens", "prompt_tokens"))
    received = _first(reported, ("output_tokens", "completion_tokens"))
    if not sent_count and not received:
        return Usage(_first(reported, ("total_tokens",)), seconds=_seconds(reported))
    sent = _details(reported, ("input_tokens_details", "prompt_tokens_details", "input_token_details"))
    back = _details(reported, ("output_tokens_details", "completion_tokens_details", "output_token_details"))
    if not sent and not back:
        return Usage(sent_count, min(_first(reported, ("input_cached_tokens",)), sent_count), received)
    if not back and "image_tokens" in sent:
        back = {"image_tokens": received}  # images answer in pictures, and their streams do not say so
    cached_of = _details(sent, ("cached_tokens_details",))
    cached = min(_first(sent, ("cached_tokens",)) or _first(reported, ("input_cached_tokens",)), sent_count)
    return Usage(
        sent_count,
        cached,
        received,
        reasoning=_first(back, ("reasoning_tokens",)),
        cache_write=min(_first(sent, ("cache_write_tokens",)), sent_count - cached),
        input_audio=min(_first(sent, ("audio_tokens",)), sent_count),
        cached_audio=min(_first(cached_of, ("audio_tokens",)), cached),
        output_audio=min(_first(back, ("audio_tokens",)), received),
        input_image=min(_first(sent, ("image_tokens",)), sent_count),
        cached_image=min(_first(cached_of, ("image_tokens",)), cached),
        output_image=min(_first(back, ("image_tokens",)), received),
    )


def _seconds(reported: Part) -> float:
    """Return the length of audio that is charged by time."""
    seconds = reported.get("seconds") if reported.get("type") == "duration" else 0
    return float(seconds) if isinstance(seconds, int | float) and seconds > 0 and seconds is not True else 0.0


def _details(reported: Part, names: tuple[str, ...]) -> Part:
    for name in names:
        found = reported.get(name)
        if is_document(found):
            return found
    return NO_DETAILS


def _first(reported: Part, names: tuple[str, ...]) -> int:
    """Return the first member that is a number of tokens, or 0."""
    for name in names:
        value = reported.get(name)
        if isinstance(value, int) and value > 0 and value is not True:
            return value
    return 0
