"""The core that every stage shares: records, errors, settings, text, and the two stores."""

__version__ = "0.1.0"
