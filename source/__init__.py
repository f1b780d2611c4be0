"""The seeded source: MySQL's tables, the seed that fills them, the generator that keeps writing."""
