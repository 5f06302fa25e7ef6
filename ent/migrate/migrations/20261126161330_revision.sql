-- +goose Up
-- how often an event was rescheduled, retitled, called off, taken out or brought back, as far as its changes are still there
ALTER TABLE "events" ADD COLUMN "revision" integer NOT NULL DEFAULT 0;
UPDATE events SET revision = n
FROM (
    SELECT event_id, count(*) AS n FROM changes
    WHERE kind IN ('RESCHEDULED', 'RETITLED', 'CANCELLED', 'REMOVED', 'RETURNED')
        OR kind = 'DETAILS_CHANGED' AND fields @> '[{"field": "status"}]'
    GROUP BY event_id
) AS counted
WHERE id = event_id;

-- +goose Down
-- reverse: modify "events" table
ALTER TABLE "events" DROP COLUMN "revision";
