-- Where the row stands, where the cycle's rules want it, and where the row stands that it follows.
SELECT v._stands AS stands, v._target AS target, v._leader AS leader, v._event_time AS event_time, v._future AS future
FROM {verdict} v;
