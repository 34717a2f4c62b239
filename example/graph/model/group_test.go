package model

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cascadeql/cascadeql/example/internal/blog"
)

type one struct{ limit int }

type two struct{ limit int }

func TestLoadOncePerKey(t *testing.T) {
	t.Parallel()
	posts := Posts([]blog.Post{{ID: "a"}, {ID: "b"}})
	var calls atomic.Int32
	var wg sync.WaitGroup
	for _, key := range []any{one{1}, one{2}, two{1}} {
		for _, p := range append(posts, posts...) {
			wg.Go(func() {
				n, err := Load(p.Group, key, func(rows []blog.Post) (int, error) {
					calls.Add(1)
					return len(rows), nil
				})
				if n != 2 || err != nil {
					t.Errorf("got %d, %v", n, err)
				}
			})
		}
	}
	wg.Wait()
	if calls.Load() != 3 {
		t.Errorf("%d calls for 3 keys", calls.Load())
	}
}

func TestLoadFailsForAll(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for _, u := range Users([]blog.User{{ID: "a"}, {ID: "b"}}) {
		got, err := Load(u.Group, one{}, func([]blog.User) (map[string]int, error) { return nil, broken })
		if got != nil || !errors.Is(err, broken) {
			t.Errorf("got %v, %v", got, err)
		}
	}
}

func TestListsLoadedTogetherAreOneGroup(t *testing.T) {
	t.Parallel()
	lists := ByOwner(map[string][]blog.Comment{
		"a": {{ID: "1"}, {ID: "2"}}, "b": {{ID: "3"}}, "c": nil,
	}, Comments)
	if len(lists["a"]) != 2 || lists["a"][1].ID != "2" || len(lists["b"]) != 1 || lists["b"][0].ID != "3" || len(lists["c"]) != 0 {
		t.Errorf("got %v", lists)
	}
	if lists["a"][0].Group != lists["b"][0].Group {
		t.Error("two groups")
	}
	tags := ByID(map[string]blog.Tag{"x": {ID: "x"}, "y": {ID: "y"}}, Tags)
	if tags["x"].ID != "x" || tags["y"].ID != "y" || tags["x"].Group != tags["y"].Group {
		t.Errorf("got %v", tags)
	}
}
