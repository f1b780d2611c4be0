-- Wipes of this table since the mart was last applied: any makes this cycle a marked one.
SELECT count(*) AS wipes
FROM settlement_ods.wipes w
WHERE w.table_name = %(source)s
  AND w.cycle > coalesce((SELECT max(r.cycle) FROM settlement_ods.mart_rules r WHERE r.mart = %(mart_name)s), 0);
