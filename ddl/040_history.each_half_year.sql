-- A history table: rows of one half-year that left the mart, with the columns that the mart has now.
CREATE TABLE IF NOT EXISTS {history} (LIKE {mart});

CREATE INDEX IF NOT EXISTS {history_key_index} ON {history} ({key});
