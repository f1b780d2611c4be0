"""The core that every room of waybill agrees on: settings, errors, event order, types, object names."""

__version__ = "0.1.0"
