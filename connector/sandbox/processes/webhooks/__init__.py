"""Webhooks: signed, sent, tried again, recorded."""
