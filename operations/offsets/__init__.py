"""Consumer positions: where they stand, how they are moved by hand, and what such a move left out."""
