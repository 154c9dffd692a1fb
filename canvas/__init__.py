"""Redeliver: why a message failed, and the one click that fixes it."""

__version__ = "0.1.0"
