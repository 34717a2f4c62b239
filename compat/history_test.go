package compat_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache"
)

// TestHistories: clients on real connections, each a user, of whom one writes each item and all read all, and who now
// and then hang up. No read is older than what was acknowledged before it began, nobody is taken for somebody
// else, and no resolver is seen outside of its request.
func TestHistories(t *testing.T) {
	t.Parallel()
	wraps := map[string]func(http.Handler, *gqlcache.Cache) http.Handler{
		"bare":    func(h http.Handler, _ *gqlcache.Cache) http.Handler { return h },
		"handler": func(h http.Handler, c *gqlcache.Cache) http.Handler { return withCache(c, h, c.Handler) },
		"hold":    func(h http.Handler, c *gqlcache.Cache) http.Handler { return withCache(c, h, c.HoldUntilCommit) },
	}
	for _, st := range stacks {
		for name, wrap := range wraps {
			t.Run(st.name+" "+name, func(t *testing.T) {
				t.Parallel()
				history(newWorld(t, st, setup{wrap: wrap}))
			})
		}
	}
}

// withCache wraps a handler unless it is a server's without the cache.
func withCache(c *gqlcache.Cache, h http.Handler, wrap func(http.Handler) http.Handler) http.Handler {
	if c == nil {
		return h
	}
	return wrap(h)
}

const (
	historyClients = 6
	historySteps   = 80
)

func history(w *world) {
	server := httptest.NewServer(w.Cached)
	w.T.Cleanup(server.Close)
	h := &hist{t: w.T, url: server.URL + "/graphql"}
	var wg sync.WaitGroup
	for k := range historyClients {
		wg.Go(func() { h.client(k+1, rand.New(rand.NewPCG(1, uint64(k)))) })
	}
	wg.Wait()
	if h.answered.Load() == 0 {
		w.T.Error("no request was answered")
	}
}

type hist struct {
	t        testing.TB
	url      string
	acked    [historyClients + 1]atomic.Int64 // by item: the version that was acknowledged
	answered atomic.Int64
}

func (h *hist) client(k int, r *rand.Rand) {
	user := fmt.Sprint("user", k)
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	for step := range historySteps {
		ctx, cancel := context.WithCancel(context.Background())
		id := 1 + r.IntN(historyClients)
		known := h.acked[id].Load()
		what := r.IntN(6)
		if what != 0 && r.IntN(4) == 0 {
			go cancel() // but never an update: it could be made after the next one
		}
		switch what {
		case 0:
			version := int64(step + 1)
			if _, ok := h.ask(ctx, client, user, fmt.Sprintf(`mutation { updateItem(id: %d, input: {name: "v%d"}) { name } }`, k, version)); ok {
				h.acked[k].Store(version)
			}
		case 1:
			if data, ok := h.ask(ctx, client, user, `{ whoami }`); ok && data["whoami"] != user {
				h.t.Errorf("%s is taken for %v", user, data["whoami"])
			}
		case 2:
			h.ask(ctx, client, user, `{ cookie items { name owner { name } parts { name item { name } } } }`)
		case 3:
			h.ask(ctx, client, user, fmt.Sprintf(`mutation { addPartVia(itemId: %d, name: "p") { name } }`, id))
		default:
			data, ok := h.ask(ctx, client, user, fmt.Sprintf(`{ item(id: %d) { name } slow(id: %d) { name } }`, id, id))
			if !ok {
				break
			}
			for _, field := range []string{"item", "slow"} {
				var version int64
				name, _ := data[field].(map[string]any)["name"].(string)
				if _, err := fmt.Sscanf(name, "v%d", &version); err == nil || known > 0 {
					if version < known {
						h.t.Errorf("%s: item %d is %q, version %d was acknowledged before", user, id, name, known)
					}
				}
			}
		}
		cancel()
	}
}

// ask returns the data of an answer, false if the client has left before it was there.
func (h *hist) ask(ctx context.Context, client *http.Client, user, query string) (map[string]any, bool) {
	body, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		h.t.Error(err)
		return nil, false
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url, bytes.NewReader(body))
	if err != nil {
		h.t.Error(err)
		return nil, false
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-User", user)
	res, err := client.Do(req)
	if err != nil {
		if !errors.Is(err, context.Canceled) {
			h.t.Error(err)
		}
		return nil, false
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, false
	}
	var answer struct {
		Data   map[string]any
		Errors []struct{ Message string }
	}
	if err := json.Unmarshal(b, &answer); err != nil {
		h.t.Errorf("%v: %s", err, b)
		return nil, false
	}
	if len(answer.Errors) > 0 {
		if e := answer.Errors[0]; ctx.Err() == nil || !strings.Contains(e.Message, "context canceled") {
			h.t.Errorf("%s: %s", query, e.Message)
		}
		return nil, false
	}
	h.answered.Add(1)
	return answer.Data, true
}
