-- In the pipeline's own database (waybill): one row that the connector's heartbeat query touches, so that a
-- quiet source and a broken one look different.
CREATE TABLE IF NOT EXISTS heartbeat (
  id      INT          NOT NULL COMMENT 'One row a connector',
  beat_at DATETIME(6)  NULL COMMENT 'Latest beat, UTC',
  note    VARCHAR(120) NULL COMMENT 'Who beats',
  PRIMARY KEY (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_0900_ai_ci COMMENT = 'Heartbeat of the pipeline';
