"""The warehouse engine behind one interface: sessions, transactions, statements from files, the schema."""
