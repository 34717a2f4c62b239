package e2e

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/footprintsql"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/observe"
	"github.com/cascadeql/cascadeql/internal/rounds"
)

// The schemas of the property: equal tables in t1, t2 and t3, of which public has some, and
// t4 the others. t3 has another key, and a trigger of its own. What {t} is is the schema.
var (
	tenantModel = []string{
		`CREATE TABLE {t}.owners (id int PRIMARY KEY, name text NOT NULL, plan int REFERENCES public.plans ON DELETE SET NULL)`,
		`CREATE TABLE {t}.items (id int PRIMARY KEY, owner int NOT NULL REFERENCES {t}.owners ON DELETE CASCADE, label text NOT NULL, n int NOT NULL DEFAULT 0)`,
		`CREATE TABLE {t}.audit (at serial PRIMARY KEY, item int NOT NULL)`,
		`CREATE VIEW {t}.busy AS SELECT i.id, i.label, o.id AS owner, o.name, p.name AS plan FROM {t}.items i JOIN {t}.owners o ON o.id = i.owner LEFT JOIN public.plans p ON p.id = o.plan WHERE i.n > 1`,
		`CREATE VIEW {t}.busier AS SELECT b.id, b.name FROM {t}.busy b WHERE b.id < 4`,
		`CREATE TRIGGER note AFTER UPDATE ON {t}.items FOR EACH ROW EXECUTE FUNCTION public.note()`,
	}
	tenantModelSetup = []string{
		`CREATE TABLE public.plans (id int PRIMARY KEY, name text NOT NULL)`,
		`CREATE FUNCTION public.note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO audit (item) VALUES (NEW.id); RETURN NEW; END $$`,
		`CREATE FUNCTION public.fixed() RETURNS trigger LANGUAGE plpgsql SET search_path = t1 AS $$ BEGIN INSERT INTO audit (item) VALUES (100 + NEW.id); RETURN NEW; END $$`,
		`CREATE TABLE public.items (id int PRIMARY KEY, owner int NOT NULL, label text NOT NULL, n int NOT NULL DEFAULT 0)`,
		`CREATE TABLE public.audit (at serial PRIMARY KEY, item int NOT NULL)`,
		`CREATE SCHEMA t4`, `CREATE TABLE t4.owners (id int PRIMARY KEY, name text NOT NULL, plan int REFERENCES public.plans)`,
	}
	tenantModelExtras = [][]string{
		{},
		{`CREATE TRIGGER fixed AFTER INSERT ON t3.items FOR EACH ROW EXECUTE FUNCTION public.fixed()`},
		{`CREATE SCHEMA t5`, `CREATE TABLE t5.items () INHERITS (public.items)`, `INSERT INTO t5.items VALUES (50, 0, 'inherited', 9)`},
		{`ALTER TABLE t3.items DROP CONSTRAINT items_owner_fkey`, `CREATE UNIQUE INDEX ON t3.owners (name, id)`},
		{`ALTER TABLE t2.items DROP CONSTRAINT items_owner_fkey, ADD CONSTRAINT items_owner_fkey FOREIGN KEY (owner) REFERENCES t1.owners ON DELETE CASCADE`},
		{`CREATE VIEW public.totals AS SELECT 't1' AS t, count(*) AS n FROM t1.items UNION ALL SELECT 't2', count(*) FROM t2.items`},
	}
	tenantPaths = []string{`t1, public`, `t2, public`, `t3, public`, `t4, public`, `t1`, `t2`, `public`, `t2, t1`, `nowhere, t3`, `t4, t2, public`}
	tenantReads = []string{
		`SELECT id, label FROM {s}items WHERE id = $1`,
		`SELECT id, label, n FROM {s}items WHERE owner = $1 ORDER BY id`,
		`SELECT * FROM {s}items WHERE n > $1 ORDER BY id LIMIT 3`,
		`SELECT id, label FROM {s}items ORDER BY id DESC LIMIT 2 OFFSET $1 % 2`,
		`SELECT count(*), max(n) FROM {s}items WHERE owner = $1`,
		`SELECT i.id, i.label, o.id, o.name FROM {s}items i JOIN {s}owners o ON o.id = i.owner WHERE i.id = $1`,
		`SELECT o.id, o.name, i.id FROM {s}owners o LEFT JOIN {s}items i ON i.owner = o.id AND i.n > $1`,
		`SELECT id, label, name FROM {s}busy WHERE owner = $1`,
		`SELECT id, name FROM {s}busier WHERE id <> $1`,
		`SELECT count(*) FROM {s}audit WHERE item <> $1`,
		`SELECT o.id, p.id, p.name FROM {s}owners o JOIN public.plans p ON p.id = o.plan WHERE o.id > $1`,
		`SELECT a.id, b.id FROM {s}items a JOIN t1.items b ON b.id = a.id WHERE a.id <= $1`,
		`SELECT id FROM {s}items WHERE id IN (SELECT id FROM {s}items WHERE n > $1)`,
		`WITH items AS (SELECT id, name FROM {s}owners) SELECT id, name FROM items WHERE id = $1`,
		`SELECT id, name FROM {s}owners o WHERE EXISTS (SELECT 1 FROM {s}items i WHERE i.owner = o.id AND i.n >= $1)`,
		`SELECT id, label FROM {s}items WHERE label LIKE '%' || $1::int || '%'`,
	}
	tenantWrites = []string{
		`UPDATE {s}items SET n = n + 1 WHERE id = $1`,
		`UPDATE {s}items SET label = label || $1::int WHERE owner = $1 RETURNING id, owner`,
		`UPDATE {s}items SET owner = $1 WHERE n > 2`,
		`INSERT INTO {s}items VALUES ($1 + 10, 1, 'new', 2) ON CONFLICT DO NOTHING`,
		`INSERT INTO {s}items (id, owner, label, n) VALUES ($1, 2, 'again', 3) ON CONFLICT (id) DO UPDATE SET n = {s}items.n + 2`,
		`DELETE FROM {s}items WHERE id = $1`,
		`DELETE FROM {s}owners WHERE id = $1`,
		`INSERT INTO {s}owners VALUES ($1, 'back', 1) ON CONFLICT DO NOTHING`,
		`UPDATE {s}owners SET name = name || '!' WHERE id = $1`,
		`UPDATE public.plans SET name = name || '!' WHERE id = 1 + $1 % 2`,
		`INSERT INTO public.plans VALUES ($1, 'new') ON CONFLICT DO NOTHING`,
		`INSERT INTO {s}owners SELECT i, 'more', 1 FROM generate_series(1, 4) i WHERE i <> $1 ON CONFLICT DO NOTHING`,
		`INSERT INTO {s}items SELECT i, o.id, 'more', i % 4 FROM generate_series(1, 6) i CROSS JOIN (SELECT max(id) AS id FROM {s}owners WHERE id <> $1) o WHERE o.id > 0 ON CONFLICT DO NOTHING`,
		`INSERT INTO {s}items SELECT i, i, 'more', i % 4 FROM generate_series(1, 4) i WHERE i <> $1 ON CONFLICT DO NOTHING`,
		`WITH gone AS (DELETE FROM {s}items WHERE id = $1 RETURNING id) UPDATE {s}owners SET name = name || '-' WHERE id IN (SELECT id FROM gone)`,
		`INSERT INTO {s}items SELECT id + 20, owner, label, n FROM t1.items WHERE id = $1 ON CONFLICT DO NOTHING`,
	}
)

// A view of a tenant is an answer: what was asked, and under which search_path.
type tenantAnswer struct {
	kept
	text, path string
	arg        int
	answer     string
}

// of writes the schema of a text's names, "" for what search_path finds.
func of(schema, text string) string {
	if schema != "" {
		schema += "."
	}
	return strings.ReplaceAll(text, "{s}", schema)
}

// under runs f where names are found by a path, in one of several ways. It reports what the
// database refused: a name that is not found, a key that is there.
func under(ctx context.Context, random *rand.Rand, db *sql.DB, path string, f func(asker) error) (refused error) {
	if random.IntN(3) == 0 {
		conn, err := db.Conn(ctx)
		if err != nil {
			return err
		}
		defer func() { _ = conn.Close() }()
		if _, err := conn.ExecContext(ctx, `SET search_path TO `+path); err != nil {
			return err
		}
		if random.IntN(4) == 0 { // a change that is rolled back
			for _, text := range []string{`BEGIN`, `SET search_path TO t3`, `ROLLBACK`} {
				if _, err := conn.ExecContext(ctx, text); err != nil {
					return err
				}
			}
		}
		return f(conn)
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	if random.IntN(2) == 0 {
		_, err = tx.ExecContext(ctx, `SET LOCAL search_path TO `+path)
	} else {
		_, err = tx.ExecContext(ctx, `SELECT set_config('search_path', $1, true)`, path)
	}
	if err != nil {
		return err
	}
	if err := f(tx); err != nil {
		return err
	}
	if random.IntN(8) == 0 {
		return nil // rolled back
	}
	return tx.Commit()
}

// Whenever an answer under a search_path has changed, something was published that it
// depends on: random statements in schemas with equal tables, and with tables that differ.
func TestTenantsProperty(t *testing.T) {
	t.Parallel()
	steps := 120
	if os.Getenv("CASCADEQL_LONG") != "" {
		steps = 2000
	}
	for i, extras := range tenantModelExtras {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			h := &harness{dialect: catalog.PostgreSQL, clock: &clock{}}
			dsn := postgres(t)
			setup := connect(t, "pgx", dsn)
			run(t, setup, tenantModelSetup...)
			for _, tenant := range []string{"t1", "t2", "t3"} {
				run(t, setup, `CREATE SCHEMA `+tenant)
				for _, text := range tenantModel {
					run(t, setup, strings.ReplaceAll(text, "{t}", tenant))
				}
			}
			run(t, setup, `INSERT INTO plans VALUES (1, 'one'), (2, 'two')`)
			for _, tenant := range []string{"t1", "t2", "t3", "t4"} {
				run(t, setup, `INSERT INTO `+tenant+`.owners SELECT i, '`+tenant+`-' || i, 1 + i % 2 FROM generate_series(1, 4) i`)
			}
			for _, schema := range []string{"t1", "t2", "t3", "public"} {
				run(t, setup, `INSERT INTO `+schema+`.items SELECT i, 1 + i % 4, '`+schema+`-' || i, i % 3 FROM generate_series(1, 6) i`)
			}
			run(t, setup, extras...)
			var err error
			if h.plain, err = sql.Open("pgx", dsn); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(h.close)
			images := observe.Off
			if i%2 == 1 {
				images = observe.On
			}
			h.observer = observe.New(observe.Options{Dialect: h.dialect, Images: images, Logger: slog.New(slog.DiscardHandler)})
			h.observer.Attach(h.clock)
			h.clock.tagsOf = h.observer.TagsOf
			if h.db, err = footprintsql.Open("pgx", dsn, h.observer); err != nil {
				t.Fatal(err)
			}
			seed := rand.Uint64()
			random := rand.New(rand.NewPCG(seed, 1))
			kepts, changed, spared := 0, 0, 0
			rounds.Until(t, "answers change, and others are kept although rows of the same keys change", func(int) bool {
				var list []*tenantAnswer
				for range steps {
					for range 3 {
						if a := h.tenantRead(t, random); a != nil {
							list = append(list, a)
						}
					}
					wrote := h.tenantWrite(t, random)
					list = slices.DeleteFunc(list, func(a *tenantAnswer) bool {
						now := h.tenantAsk(t, a)
						met := h.clock.met(&a.kept)
						switch {
						case now != a.answer && !met:
							t.Fatalf("seed %d: missed: %s with %d under %s, after %s\nbefore %q\nnow    %q", seed, a.text, a.arg, a.path, wrote, a.answer, now)
						case now != a.answer:
							changed++
						case !met:
							spared++
						}
						return met
					})
					kepts += len(list)
					if len(list) > 60 {
						list = list[len(list)-60:]
					}
				}
				return changed > 40 && spared > 500
			})
			t.Logf("%d kept, %d changed, %d spared", kepts, changed, spared)
		})
	}
}

// pickTenant returns a path and the schema that a text names, "" for none.
func pickTenant(random *rand.Rand) (path, schema string) {
	path = tenantPaths[random.IntN(len(tenantPaths))]
	if random.IntN(4) == 0 {
		schema = []string{"t1", "t2", "t3", "public"}[random.IntN(4)]
	}
	return path, schema
}

// tenantRead computes an answer, nil for none that may be kept.
func (h *harness) tenantRead(t *testing.T, random *rand.Rand) *tenantAnswer {
	t.Helper()
	path, schema := pickTenant(random)
	a := &tenantAnswer{path: path, text: of(schema, tenantReads[random.IntN(len(tenantReads))]), arg: random.IntN(6)}
	ctx, end := h.begin(t.Context())
	err := under(ctx, random, h.db, path, func(q asker) (err error) {
		a.answer, err = ask(ctx, q, reading{sqlStatement: sqlStatement{text: a.text, args: []any{a.arg}}, rows: -1})
		return err
	})
	a.footprint = end()
	if err != nil || a.footprint.refused || a.footprint.unknown != "" {
		return nil
	}
	return a
}

// tenantAsk asks again, unobserved.
func (h *harness) tenantAsk(t *testing.T, a *tenantAnswer) (answer string) {
	t.Helper()
	tx, err := h.plain.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := tx.ExecContext(t.Context(), `SET LOCAL search_path TO `+a.path); err != nil {
		t.Fatal(err)
	}
	answer, err = ask(t.Context(), tx, reading{sqlStatement: sqlStatement{text: a.text, args: []any{a.arg}}, rows: -1})
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

func (h *harness) tenantWrite(t *testing.T, random *rand.Rand) (text string) {
	t.Helper()
	path, schema := pickTenant(random)
	text = of(schema, tenantWrites[random.IntN(len(tenantWrites))])
	_ = under(t.Context(), random, h.db, path, func(q asker) error {
		_, err := q.ExecContext(t.Context(), text, random.IntN(6))
		return err
	})
	return text + " under " + path
}
