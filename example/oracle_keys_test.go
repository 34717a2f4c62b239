//go:build !race

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/footprint"
)

// usersOf has each request come from one of n users of its tenant.
func usersOf(n int) func(oracleRequest) string {
	rng := rand.New(rand.NewPCG(7, 7)) //nolint:gosec // it decides nothing
	return func(r oracleRequest) string { return fmt.Sprintf("%s %d", r.tenant, rng.IntN(n)) }
}

// keyed returns a level whose keys are checked.
func keyed(users int, options func(*gqlcache.Options)) oracleLevel {
	return oracleLevel{
		name: "keys", watched: &footprint.Options{Dialect: footprint.SQLite, SemiJoins: true},
		options: options, credentials: usersOf(users),
	}
}

// incomplete returns the positions that were convicted.
func (o *oracle) incomplete() (list []footprint.Finding) {
	for _, f := range o.watched.Findings() {
		if f.Kind == footprint.IncompleteKey {
			list = append(list, f)
		}
	}
	return list
}

// The key check convicts nothing in a server whose key is complete, and costs few hits.
func TestOracleKeysAreComplete(t *testing.T) {
	t.Parallel()
	const reads = 3000
	fresh := map[footprint.Switch]int{}
	for _, check := range []footprint.Switch{footprint.On, footprint.Off} {
		o := newOracle(t, newWorkload(3, oracleSmall, 50), keyed(4, func(opts *gqlcache.Options) { opts.Observe.KeyCheck = check }))
		log := o.replay(reads)
		fresh[check] = log.fresh
		if found, n := o.incomplete(), o.cache.Stats().NotStored[gqlcache.ReasonKey]; len(found) > 0 || n > 0 {
			t.Errorf("convicted, %d answers: %v", n, found)
		}
		t.Logf("check %d: %d hits of %d possible, precision %.3f, not stored %v", check, log.fresh, log.possible, log.precision(), o.cache.Stats().NotStored)
	}
	if fresh[footprint.On]*100 < fresh[footprint.Off]*90 {
		t.Errorf("%d hits, %d without the check", fresh[footprint.On], fresh[footprint.Off])
	}
}

// Without the tenant in the key, every operation is convicted, and nobody gets another
// tenant's rows.
func TestOracleKeysWithoutThePredicate(t *testing.T) {
	t.Parallel()
	o := newOracle(t, newWorkload(3, oracleSmall, 20), keyed(1, func(opts *gqlcache.Options) {
		opts.Predicate = func(context.Context) (gqlcache.Predicate, error) { return gqlcache.Predicate{Text: "all"}, nil }
	}))
	log := o.replay(1500) // read fails the test when a hit shows what the tenant does not see
	for _, f := range o.incomplete() {
		t.Logf("%s: %s", f.Text, f.Why)
	}
	stored := o.cache.Stats().NotStored
	if stored[gqlcache.ReasonKey] == 0 {
		t.Errorf("nothing was convicted: %v", stored)
	}
	// Who comes first has the operation for himself; then it is convicted.
	if log.hits > log.reads/10 {
		t.Errorf("%d hits of %d reads", log.hits, log.reads)
	}
}
