"""The ledger: which calls without a known end were billed, told from the organization's reports."""
