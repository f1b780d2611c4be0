-- Run for the leader of a mart that this cycle goes on without: what it would have looked at is kept for its return.
INSERT INTO {recheck} ({key}) SELECT {w_key} FROM {leader_moved} w;
