package e2e

import (
	_ "github.com/jackc/pgx/v5/stdlib"
	_ "github.com/lib/pq"
	_ "modernc.org/sqlite"

	_ "github.com/cascadeql/cascadeql/gqlcache/footprint/internal/analysis"
)
