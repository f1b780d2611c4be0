"""Bad messages: when they are too many, what waits instead, and what became of those set aside."""
