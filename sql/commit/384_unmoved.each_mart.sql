-- Run for a mart that this cycle goes on without: nothing of it moves.
CREATE TEMP TABLE {moved} AS SELECT {m_key} FROM {mart} m WHERE false;
