"""Those who are compared, one a file: PACKAGES, and calls, listing and upload as far as they have them."""

__all__ = ["ALONE", "BARE", "NAMES", "OURS", "SDK"]

OURS, BARE, SDK, ALONE = "ours", "httpx_bare", "sdk_async", "aiohttp_orjson"
NAMES = {
    OURS: "openai-connector, validating",
    BARE: "bare httpx + httpx-aiohttp",
    "httpx_stock": "stock httpx",
    ALONE: "aiohttp alone, orjson",
    SDK: "openai SDK, async",
    "sdk_aiohttp": "openai SDK, async, aiohttp",
    "sdk_sync": "openai SDK, threads",
    "litellm": "litellm",
}
