package catalog_test

import "testing"

func TestTmpCover(t *testing.T) {
	pool, trace := traced(t, 1)
	fill(t, pool, 5_000_000)
	t.Log("=== PLAIN")
	measurePages(t, pool, trace, 1_000_000)
	exec(t, pool, "CREATE INDEX cov ON events (span_class, starts_at, id) INCLUDE (ends_at, starts_local, ends_local) WHERE listed")
	exec(t, pool, "DROP INDEX event_span_class_starts_at_id")
	exec(t, pool, "VACUUM ANALYZE events")
	t.Log("=== COVER")
	measurePages(t, pool, trace, 1_000_000)
	measureCounts(t, pool, trace)
	rows, _ := pool.Query(t.Context(), "select relname||' '||pg_relation_size(oid)/1e6 from pg_class where relname ~ '^(ev|cov)' ")
	for rows.Next() { var s string; rows.Scan(&s); t.Log(s) }
	rows, _ = pool.Query(t.Context(), "select generic_plans||' '||custom_plans||' '||left(statement,100) from pg_prepared_statements where generic_plans>0")
	for rows.Next() { var s string; rows.Scan(&s); t.Log("GENERIC", s) }
}
