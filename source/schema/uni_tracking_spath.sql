-- About ten rows an order: the way a parcel took. traceSeq counts within the order.
CREATE TABLE IF NOT EXISTS uni_tracking_spath (
  id            BIGINT        NOT NULL AUTO_INCREMENT COMMENT 'Surrogate; not the primary key',
  order_id      BIGINT        NOT NULL COMMENT 'ecs_order_info.order_id',
  traceSeq      INT           NOT NULL COMMENT 'Number of the event within its order, from 1',
  tracking_no   VARCHAR(40)   NULL COMMENT 'Tracking number printed on the label',
  code          INT           NOT NULL COMMENT 'State the parcel entered',
  pathInfo      VARCHAR(500)  NULL COMMENT 'Text shown to the receiver, any script',
  pathAddr      VARCHAR(160)  NULL DEFAULT 'UNKNOWN' COMMENT 'Where it happened',
  warehouse_id  INT           NULL DEFAULT 7 COMMENT 'Warehouse, if it happened in one',
  operator_id   INT           NULL COMMENT 'Who scanned',
  source_type   VARCHAR(12)   NOT NULL DEFAULT 'scan' COMMENT 'scan, app, partner or manual',
  lat           DOUBLE        NULL COMMENT 'Latitude, degrees',
  lng           DOUBLE        NULL COMMENT 'Longitude, degrees',
  weight        DECIMAL(10,3) NULL DEFAULT 0.000 COMMENT 'Weighed at this scan, in kilograms',
  is_exception  TINYINT(1)    NOT NULL DEFAULT 0 COMMENT 'Something went wrong here',
  photo_key     VARCHAR(96)   NULL COMMENT 'Object key of the photo',
  scanned_at    DATETIME(6)   NULL COMMENT 'Clock of the scanner, UTC, microseconds',
  last_request  VARCHAR(40)   NULL COMMENT 'Idempotency key of the request that wrote the row last',
  pathTime      INT           NULL COMMENT 'When it happened, epoch seconds',
  PRIMARY KEY (order_id, traceSeq),
  UNIQUE KEY ux_id (id),
  KEY ix_path_time (pathTime)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_0900_ai_ci COMMENT = 'Path events, about ten an order';
