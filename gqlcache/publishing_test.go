package gqlcache_test

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/changelog/redislog"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
	"github.com/cascadeql/cascadeql/internal/redistest"
)

// redisInstances are servers over the same rows whose log is a real one, each with a
// lease.
func redisInstances(t *testing.T, n int, s *redistest.Server, change func(*gqlcache.Options)) []*instance {
	t.Helper()
	rows := testgraph.NewStore()
	var all []*instance
	for range n {
		log, err := redislog.New(s.Client(), redislog.Options{
			Namespace: "main", Level: changelog.Strong, TTL: patientLease, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
		})
		if err != nil {
			t.Fatal(err)
		}
		o := gqlcache.Options{Callers: gqlcache.AllSeeTheSame, Instances: gqlcache.Instances{Log: log}, Inspector: gqlcache.Inspector{Allow: func(context.Context) bool { return true }}}
		if change != nil {
			change(&o)
		}
		m := &instance{t: t, rows: rows, cache: newCache(t, o)}
		m.h = testgraph.NewServer(rows, m.cache)
		all = append(all, m)
	}
	for _, m := range all {
		eventually(t, "a lease", func() bool { return m.cache.Stats().Log.Fresh })
	}
	return all
}

// documented returns the command behind a mark in docs/log-format.md, for a server.
func documented(t *testing.T, mark string, s *redistest.Server) string {
	t.Helper()
	page, err := os.ReadFile("../docs/log-format.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(page), "<!-- test: "+mark+" -->\n```sh\n")
	command, _, end := strings.Cut(rest, "```\n")
	if !ok || !end || !strings.Contains(command, "127.0.0.1:6379") {
		t.Fatalf("docs/log-format.md has no command %q", mark)
	}
	return strings.ReplaceAll(command, "127.0.0.1:6379", s.Addr())
}

// shell runs a command and returns what it prints.
func shell(t *testing.T, command string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "sh", "-c", command).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", command, err, out)
	}
	return strings.TrimSpace(string(out))
}

// TestDocumentedPublication runs the commands of docs/log-format.md with redis-cli.
func TestDocumentedPublication(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("redis-cli"); err != nil {
		t.Skip("this test needs redis-cli on the PATH: it comes with redis-server")
	}
	payloadOf := func(t *testing.T, c *gqlcache.Cache, changes ...gqlcache.Change) string {
		t.Helper()
		tags, err := c.Tags(changes...)
		if err != nil {
			t.Fatal(err)
		}
		payload := []byte{1}
		for _, tag := range tags {
			payload = binary.LittleEndian.AppendUint64(payload, tag.Hash)
			payload = binary.LittleEndian.AppendUint64(payload, tag.Mask)
		}
		return hex.EncodeToString(payload)
	}
	for _, row := range []struct {
		name, mark string
		payload    func(*testing.T, *gqlcache.Cache) string
		ann, count string // what becomes of the two entries
	}{
		{"everything", "everything", nil, "MISS", "MISS"},
		{"the tags of a row", "tags", func(t *testing.T, c *gqlcache.Cache) string {
			return payloadOf(t, c, gqlcache.Entity("User", testgraph.Ann))
		}, "MISS", "HIT memory"},
		{"the tags of another row", "tags", func(t *testing.T, c *gqlcache.Cache) string {
			return payloadOf(t, c, gqlcache.Entity("User", testgraph.Bob))
		}, "HIT memory", "HIT memory"},
		{"tags of another schema", "tags", func(*testing.T, *gqlcache.Cache) string {
			return "01" + strings.Repeat("0123456789abcdef", 4)
		}, "MISS", "MISS"},
		{"a kind that is not known", "tags", func(*testing.T, *gqlcache.Cache) string { return "7f00" }, "MISS", "MISS"},
		{"a length that is not right", "tags", func(*testing.T, *gqlcache.Cache) string { return "0100ff" }, "MISS", "MISS"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := redistest.Start(t)
			all := redisInstances(t, 2, s, func(o *gqlcache.Options) { o.Tokens = true })
			command := documented(t, row.mark, s)
			if row.payload != nil {
				command = strings.Replace(command, "PAYLOAD=02", "PAYLOAD="+row.payload(t, all[0].cache), 1)
			}
			for _, m := range all {
				m.want("MISS", "Ann", readAnn)
				m.want("MISS", "11", readCounter)
				m.want("HIT memory", "Ann", readAnn)
				m.want("HIT memory", "11", readCounter)
			}
			position := shell(t, command)
			token := s.Client().HGet(t.Context(), "{gqlc:main}:c", "e").Val() + ":" + position
			for _, m := range all {
				// The token makes the instance catch up first. When the record was not
				// there yet as the request arrived, the answer is as old as the request,
				// and not stored.
				if resp, got := m.ask(readAnn, gqlcache.TokenHeader, token); strings.TrimSuffix(got, " invalidated") != row.ann || !strings.Contains(string(resp.Data), "Ann") {
					t.Errorf("%q %s, want %q", got, resp.Data, row.ann)
				}
				m.want(row.count, "11", readCounter)
				if m.cache.Stats().LogErrors != 0 {
					t.Error("log errors")
				}
			}
		})
	}
}

// TestDocumentedPublicationWithoutALog answers 0, and leaves nothing behind that an
// instance could stumble over.
func TestDocumentedPublicationWithoutALog(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	if got := shell(t, documented(t, "everything", s)); got != "0" {
		t.Errorf("%q, want 0", got)
	}
	if n := s.Client().DBSize(t.Context()).Val(); n != 0 {
		t.Errorf("%d keys", n)
	}
}

func TestTags(t *testing.T) {
	t.Parallel()
	a, b := newCache(t, gqlcache.Options{Callers: gqlcache.AllSeeTheSame}), newCache(t, gqlcache.Options{Callers: gqlcache.AllSeeTheSame})
	if _, err := a.Tags(gqlcache.View("v_user")); !errors.Is(err, gqlcache.ErrNoSchema) {
		t.Errorf("%v, want ErrNoSchema", err)
	}
	testgraph.NewServer(testgraph.NewStore(), a)
	testgraph.NewServer(testgraph.NewStore(), b)
	ann := gqlcache.Entity("User", testgraph.Ann)
	one, err := a.Tags(ann)
	two, err2 := b.Tags(ann)
	if err != nil || err2 != nil || len(one) < 2 || len(one) != len(two) || one[0] != two[0] {
		t.Errorf("%v, %v, %v, %v", one, two, err, err2)
	}
	other, err := a.Tags(gqlcache.Entity("User", testgraph.Bob))
	if err != nil || other[0] != one[0] {
		t.Errorf("%v, %v: the first tag is the schema's", other, err)
	}
	for _, bad := range []gqlcache.Change{gqlcache.Everything(), gqlcache.View("v_none"), gqlcache.Entity("None", "1")} {
		if tags, err := a.Tags(ann, bad); !errors.Is(err, gqlcache.ErrUnknownName) {
			t.Errorf("%v: %v, %v", bad, tags, err)
		}
	}
}
