package footprintpgx

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cascadeql/cascadeql/gqlcache/footprint"
	"github.com/cascadeql/cascadeql/internal/pgtest"
)

// What a query by key costs without the wrapper, with it, and within a recording.
func BenchmarkQueryRow(b *testing.B) {
	config, err := pgxpool.ParseConfig(pgtest.Database(b))
	if err != nil {
		b.Fatal(err)
	}
	plain, err := pgxpool.NewWithConfig(b.Context(), config)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(plain.Close)
	if _, err := plain.Exec(b.Context(), schema); err != nil {
		b.Fatal(err)
	}
	obs := footprint.New(footprint.Options{Dialect: footprint.PostgreSQL})
	wrapped, err := NewPool(b.Context(), config, obs)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(wrapped.Close)
	query := func(b *testing.B, ctx context.Context, db database) {
		b.Helper()
		var name string
		if err := db.QueryRow(ctx, `SELECT name FROM users WHERE id = $1`, 1).Scan(&name); err != nil {
			b.Fatal(err)
		}
	}
	for name, db := range map[string]database{"plain": plain, "wrapped": wrapped} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				query(b, b.Context(), db)
			}
		})
	}
	b.Run("recorded", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			ctx, rec := footprint.Begin(b.Context(), footprint.Start{}, obs)
			query(b, ctx, wrapped)
			rec.End()
		}
	})
}
