"""Raw rows that have done their work are taken out, in short transactions of their own (spec section 5)."""
