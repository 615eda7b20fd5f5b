"""Comparison → what people read: tables in the terminal, a page, pictures, files."""

from __future__ import annotations

from servsim.report.files import write, write_attribution, write_sensitivity, write_tuning

__all__ = ["write", "write_attribution", "write_sensitivity", "write_tuning"]
