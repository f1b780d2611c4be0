-- The GTID sets at which rows of incremental snapshots were read: each set is one or a few chunks. The committer looks
-- for the place of each in the eras and leaves those that it finds in read_places.
SELECT DISTINCT r.gtid_set FROM {rows} r WHERE r._snapshot = 'incremental' AND r.gtid_set IS NOT NULL;
