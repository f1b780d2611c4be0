"""The exceptions that cycles and checks have opened: looked at and resolved by people (spec section 8)."""
