"""What a person does with bad messages: see them, redrive them, drop them, set one aside."""
