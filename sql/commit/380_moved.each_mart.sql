-- Keys that came into the mart, left it, or are gone: what follows them is looked at after this.
CREATE TEMP TABLE {moved} AS
SELECT {v_key}
FROM {verdict} v
WHERE CASE WHEN v._stands IS NULL OR v._stands = 'removed' THEN 'nowhere' WHEN v._stands = '' THEN 'mart' ELSE 'history' END
   <> CASE WHEN v._target = 'removed' THEN 'nowhere' WHEN v._target = '' THEN 'mart' ELSE 'history' END;

ANALYZE {moved};
