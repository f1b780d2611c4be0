-- Where the row that a candidate follows stands: filled for a mart that follows another, else empty.
CREATE TEMP TABLE {leaders} AS
SELECT {c_key}, CAST('' AS varchar(8)) AS _where FROM {candidates} c WHERE false;
