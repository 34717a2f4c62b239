package gqlcache_test

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache"
)

func ExampleVersionSource() {
	var warehouse *sql.DB
	opts := gqlcache.Options{
		Callers: gqlcache.AllSeeTheSame,
		Versions: map[string]gqlcache.VersionSource{"v_sales": {
			Of: func(ctx context.Context) (version string, err error) {
				err = warehouse.QueryRowContext(ctx, "SELECT max(loaded_at) FROM loads WHERE fact = 'sales'").Scan(&version)
				return version, err
			},
			Every: time.Minute,
		}},
	}
	fmt.Println(len(opts.Versions))
	// Output: 1
}
