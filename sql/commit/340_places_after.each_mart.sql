-- Conservation after: every place in which each candidate stands now.
CREATE TEMP TABLE {after} AS
SELECT {r_key}, CAST('removed' AS varchar(16)) AS _place FROM {verdict} v JOIN {removed} r ON {r_is_v};
