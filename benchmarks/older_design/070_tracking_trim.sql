-- What is older leaves the mart, unless it was noted.
DELETE FROM settlement_ods.mart_tracking
WHERE update_time < (SELECT max(update_time) - 15552000 FROM settlement_ods.mart_tracking)
  AND order_id NOT IN (
      SELECT order_id FROM settlement_ods.order_tracking_exceptions
      WHERE exception_type = 'ARCHIVE_ROUTING_GAP' AND order_id IS NOT NULL);
