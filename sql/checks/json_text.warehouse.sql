-- JSON as MySQL's CAST(json AS CHAR) writes it: keys and spaces are jsonb's, which are the same; a number beyond
-- 20 digits or below 1e-15 is a double there and is written with an exponent. What cannot be read as JSON stays as
-- it is, so that it shows as a difference instead of ending the whole proof. Lives as long as the session.
CREATE OR REPLACE FUNCTION pg_temp.waybill_json(value text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $function$
DECLARE
    made text;
BEGIN
    made := value::jsonb::text;
    IF made !~ '[0-9]{21}|0\.0{15}' THEN
        RETURN made;
    END IF;
    RETURN (
        SELECT string_agg(
            CASE
                WHEN part[1] ~ '^-?([0-9]{21,}|0\.0{15})[0-9.]*$'
                    THEN replace(part[1]::double precision::text, 'e+', 'e')
                ELSE part[1]
            END, '' ORDER BY place)
        -- A string, a number, or what stands between.
        FROM regexp_matches(made, '"(?:[^"\\]|\\.)*"|-?[0-9][0-9.]*|[^"0-9-]+|-', 'g') WITH ORDINALITY AS t (part, place)
    );
EXCEPTION WHEN data_exception THEN
    RETURN value;
END
$function$;
