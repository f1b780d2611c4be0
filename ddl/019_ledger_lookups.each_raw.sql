-- A ledger only grows: what each cycle and the trimming ask of it is found without reading the rest.
CREATE INDEX IF NOT EXISTS {ledger_load_index} ON {ledger} (loaded_at);

CREATE INDEX IF NOT EXISTS {ledger_topic_index} ON {ledger} (topic_id, batch_id);

CREATE INDEX IF NOT EXISTS {ledger_letters_index} ON {ledger} (dead_letters) WHERE dead_letters > 0;
