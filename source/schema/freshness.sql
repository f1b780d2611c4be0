-- In the pipeline's own database (waybill): rows that `waybill bench freshness` writes and looks for in raw and mart. Each
-- run writes the same ids again, so the table stays small; no row of the business is touched.
CREATE TABLE IF NOT EXISTS freshness (
  id         BIGINT      NOT NULL COMMENT 'Place of the marker, from 1; written again by every run',
  written_at BIGINT      NOT NULL COMMENT 'When it was written, epoch seconds',
  token      VARCHAR(64) NOT NULL COMMENT 'Run and number of the marker: no two are ever the same',
  PRIMARY KEY (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_0900_ai_ci COMMENT = 'Markers of freshness';
