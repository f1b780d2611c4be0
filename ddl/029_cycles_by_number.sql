-- The newest cycles are asked for at every look of the metrics.
CREATE INDEX IF NOT EXISTS cycles_by_number ON settlement_ods.cycles (cycle);
