-- +goose Up
-- what titles are ordered by, and what events are found by
ALTER TABLE "events" ADD COLUMN "title_key" text NOT NULL DEFAULT '' COLLATE "C", ADD COLUMN "search" tsvector NOT NULL DEFAULT ''::tsvector;
-- The writer fills both (internal/terms). The events that are there already get them here, by the same rules as far as
-- SQL can say them: PostgreSQL knows what a letter is by a collation, the best of which not every build has. It rewrites
-- the table; reads go on meanwhile, syncs wait.
-- +goose StatementBegin
DO $fill$
BEGIN
    EXECUTE format($function$
        CREATE FUNCTION pg_temp.words(given text) RETURNS text[] LANGUAGE sql IMMUTABLE AS $body$
            SELECT coalesce(array_agg(left(found[1], 64) ORDER BY place), '{}')
            FROM regexp_matches(
                replace(replace(replace(replace(
                    translate(
                        lower(regexp_replace(normalize(given, NFKD), '[\u0300-\u036f\u3099\u309a]', '', 'g') COLLATE %1$I),
                        'øłđðħıς', 'olddhiσ'),
                    'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th') COLLATE %1$I,
                '[[:alnum:]]+', 'g') WITH ORDINALITY AS matches (found, place)
        $body$
        $function$,
        (SELECT collname FROM pg_collation WHERE collname IN ('und-x-icu', 'C.utf8', 'en_US.utf8', 'default')
            ORDER BY array_position(ARRAY['und-x-icu', 'C.utf8', 'en_US.utf8', 'default'], collname::text) LIMIT 1));
    -- at most 120 bytes of it
    CREATE FUNCTION pg_temp.title_key(title text, words text[]) RETURNS text LANGUAGE sql IMMUTABLE AS $body$
        SELECT CASE WHEN octet_length(key) <= 120 THEN key
            ELSE (SELECT left(key, n) FROM generate_series(0, 120) AS n WHERE octet_length(left(key, n)) <= 120 ORDER BY n DESC LIMIT 1) END
        FROM (SELECT coalesce(nullif(array_to_string(words, ' '), ''), title) AS key) AS keys
    $body$;
    UPDATE events SET
        title_key = pg_temp.title_key(title, pg_temp.words(title)),
        search = array_to_tsvector(
            pg_temp.words(title)
            || ARRAY(SELECT '^' || word FROM unnest(pg_temp.words(title)) AS word)
            || coalesce((SELECT pg_temp.words(series.title) FROM series WHERE series.id = series_id), '{}')
            || pg_temp.words(description)
            || ARRAY(SELECT '#' || category FROM jsonb_array_elements_text(categories) AS category WHERE category <> '')
            || CASE WHEN place_city <> '' THEN ARRAY['@' || place_city] ELSE '{}' END
            || CASE WHEN place_country <> '' THEN ARRAY['%' || place_country] ELSE '{}' END);
    DROP FUNCTION pg_temp.words(text);
    DROP FUNCTION pg_temp.title_key(text, text[]);
END
$fill$;
-- +goose StatementEnd
-- create index "event_title_key_id" to table: "events"
CREATE INDEX "event_title_key_id" ON "events" ("title_key", "id") WHERE listed;
-- create index "events_search" to table: "events"
CREATE INDEX "events_search" ON "events" USING gin ("search") WHERE listed;

-- +goose Down
DROP INDEX "events_search";
DROP INDEX "event_title_key_id";
ALTER TABLE "events" DROP COLUMN "search", DROP COLUMN "title_key";
