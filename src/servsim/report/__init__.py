"""Comparison → what people read: tables in the terminal, a page, pictures, files."""

from __future__ import annotations

from servsim.report.files import write

__all__ = ["write"]
