-- In the pipeline's own database (waybill): Debezium's signalling table. The three columns are Debezium's.
CREATE TABLE IF NOT EXISTS `signal` (
  id   VARCHAR(64)   NOT NULL COMMENT 'Any unique text',
  type VARCHAR(32)   NOT NULL COMMENT 'For instance execute-snapshot',
  data VARCHAR(2048) NULL COMMENT 'JSON, depends on type',
  PRIMARY KEY (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_0900_ai_ci COMMENT = 'Signals to Debezium';
