-- The one key to look at, instead of step 200's. The scratch tables of the steps before it are there, and empty.
CREATE TEMP TABLE {candidates} AS SELECT {m_key} FROM {mart} m WHERE false;

INSERT INTO {candidates} VALUES %(key)s;
