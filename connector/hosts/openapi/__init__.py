"""OpenAPI documents of chosen operations, for platforms that import one: Zapier, Make, DronaHQ and others."""
