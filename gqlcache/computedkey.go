package gqlcache

import "github.com/cascadeql/cascadeql/gqlcache/internal/values"

// A Key names a value that a program computes: see KeyOf. It is a value, may be copied and
// used concurrently, and building one does not allocate while its arguments are short.
type Key struct{ key values.Key }

// KeyOf returns the key of a value: KeyOf("leaderboard").Tenant(t).Arg("limit", 10). The
// name says which function computes it. Two functions need two names, and one that computes
// something else from now on needs another name. Names are counted by, so there should be
// few of them: what varies is an argument. A key without a name, or with an argument that
// has no fixed text, is an error, ErrKey, where it is first used.
func KeyOf(name string) Key { return Key{values.KeyOf(name)} }

// Tenant returns the key with a tenant: what the value reads in partitioned views is that
// tenant's, as Options.Partition names it. Within a request it must be the caller's own,
// unless the call has AnyTenant.
func (k Key) Tenant(id string) Key {
	k.key.SetTenant(id)
	return k
}

// Arg returns the key with an argument: a text, a number, a truth value, a pointer to or a
// list of these, of a type that is based on these, such as a UUID of bytes, a time, or nil. Keys
// are equal only if they have equal arguments in the same order. Whole numbers are equal
// whatever their types; a number and a text never are. The key must have all that decides
// the value beside the caller and the tenant. Clients may choose arguments, not names.
func (k Key) Arg(name string, value any) Key {
	k.key.Add(name, value)
	return k
}

// String returns the key as the inspector shows it: leaderboard(tenant: "a", limit: 10). It
// is cut short if it is long.
func (k Key) String() string { return k.key.String() }
