package model

import "sync"

// A Group is the rows of one type that were read together: a list, or what was loaded for
// one. The first of them that is asked for something related loads it for all, in one
// statement; the others wait and take their share. So a page costs as many statements as
// its query has levels, at any depth.
//
// Compared with a loader per request that collects keys for a while, nothing waits for a
// timer, and nothing is remembered beyond the root field that read the rows: a mutation's
// answer and the next mutation of the same request never see rows from before.
type Group[R any] struct {
	rows []R

	mu     sync.Mutex
	loaded map[any]func() (any, error) // by what was loaded, arguments included
}

// Load returns what load returns for the rows of the group, which is called once for each
// key. A key is a comparable value that tells what is loaded, and with which arguments;
// its type must determine T.
//
// The first caller's load runs on the first caller's context. All rows of a group are
// resolved for one operation, whose contexts end together.
func Load[T, R any](g *Group[R], key any, load func(rows []R) (T, error)) (T, error) {
	g.mu.Lock()
	once := g.loaded[key]
	if once == nil {
		once = sync.OnceValues(func() (any, error) { return load(g.rows) })
		if g.loaded == nil {
			g.loaded = make(map[any]func() (any, error))
		}
		g.loaded[key] = once
	}
	g.mu.Unlock()
	v, err := once()
	if err != nil {
		var none T
		return none, err
	}
	return v.(T), nil
}
