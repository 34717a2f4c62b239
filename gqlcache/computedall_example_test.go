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
		fmt.Println(user == User{}, errors.Is(err, gqlcache.ErrAbsent), db.queries)
		if err := cache.Invalidate(ctx, gqlcache.Entity("User", "1")); err != nil { // another row
			log.Fatal(err)
		}
	}
	// Output:
	// true true 1
	// true true 1
	// true true 1
}

func (db *exampleDB) Users(_ context.Context, ids []string) (map[string]User, error) {
	db.queries++
	users := map[string]User{}
	for _, id := range ids {
		if user, ok := exampleUsers[id]; ok {
			users[id] = user
		}
	}
	return users, nil
}

func keyOfUser(id string) gqlcache.Key { return gqlcache.KeyOf("user").Arg("id", id) }

// Several values are computed by one call, and each is kept by itself.
func ExampleComputeAll() {
	cache, db := valuesCache(), &exampleDB{}
	defer cache.Close()
	ctx := requestContext(cache)
	for _, ids := range [][]string{{"1", "3"}, {"1", "2", "3"}, {"1", "2", "3"}} {
		users, err := gqlcache.ComputeAll(ctx, cache, ids, keyOfUser, func(ctx context.Context, missing []string) (map[string]User, error) {
			return db.Users(ctx, missing)
		}, gqlcache.ReadsOf(func(id string) []gqlcache.Change {
			return []gqlcache.Change{gqlcache.Entity("User", id)}
		}))
		fmt.Println(users, err, db.queries)
	}
	// Output:
	// map[1:{1 ann}] <nil> 1
	// map[1:{1 ann} 2:{2 bob}] <nil> 2
	// map[1:{1 ann} 2:{2 bob}] <nil> 2
}
