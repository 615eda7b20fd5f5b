"""How the figures of the bank_calls scenarios were derived from the call file; run by ../derive.py."""
