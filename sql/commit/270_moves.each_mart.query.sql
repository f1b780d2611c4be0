-- What is to be moved, counted: tells the committer which places to write to, and the summary what happened.
-- _stands is where a row stood (NULL: nowhere), _target where it is to stand.
SELECT v._stands AS stands, v._target AS target, v._wins AS wins, v._future AS future, v._gap AS gap, count(*) AS keys
FROM {verdict} v
GROUP BY v._stands, v._target, v._wins, v._future, v._gap;
