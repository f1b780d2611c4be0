"""The local stack: one catalogue of services, a native way and a compose way to start them.

Must not be in here: anything that knows an order, a mart or a connector. The stack hands out addresses.
"""
