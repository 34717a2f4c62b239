package gqlcache_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log"

	"github.com/cascadeql/cascadeql/gqlcache"
)

// A User is a row of exampleDB.
type User struct{ ID, Name string }

// exampleUsers are the rows.
var exampleUsers = map[string]User{"1": {"1", "ann"}, "2": {"2", "bob"}}

func (db *exampleDB) User(_ context.Context, id string) (User, error) {
	db.queries++
	user, ok := exampleUsers[id]
	if !ok {
		return user, sql.ErrNoRows
	}
	return user, nil
}

// That there is no row is kept, and dropped by its creation.
func ExampleErrAbsent() {
	cache, db := valuesCache(), &exampleDB{}
	defer cache.Close()
	ctx, id := requestContext(cache), "3"
	for range 3 {
		user, err := gqlcache.Compute(ctx, cache, gqlcache.KeyOf("user").Arg("id", id), func(ctx context.Context) (User, error) {
			user, err := db.User(ctx, id)
			if errors.Is(err, sql.ErrNoRows) {
				return user, gqlcache.ErrAbsent
			}
			return user, err
		}, gqlcache.Reads(gqlcache.Entity("User", id)))
		fmt.Println(user.Name, errors.Is(err, gqlcache.ErrAbsent), db.queries)
		if err := cache.Invalidate(ctx, gqlcache.Entity("User", "1")); err != nil { // another row
			log.Fatal(err)
		}
	}
	// Output:
	// true 1
	// true 1
	// true 1
}
