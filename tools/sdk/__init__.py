"""Facts of the official SDK that an OpenAPI document lacks; `python -m tools.sdk` writes or checks their overlay."""
