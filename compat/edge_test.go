package compat_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/cascadeql/cascadeql/compat/internal/shop"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/vektah/gqlparser/v2/ast"
)

// edgeToken is what the cache in front proves itself with.
const edgeToken = "a secret of both"

// edgeVCL is the configuration of a Varnish in front of the server. It forgets the answers whose keys it is told.
const edgeVCL = `vcl 4.1;
backend server { .host = "127.0.0.1"; .port = "%s"; }
acl servers { "127.0.0.1"; }

sub vcl_recv {
	if (req.method == "BAN") {
		if (client.ip !~ servers) {
			return (synth(403));
		}
		ban("obj.http.Surrogate-Key ~ " + req.http.X-Keys);
		return (synth(200));
	}
	set req.http.X-Edge-Token = "` + edgeToken + `";
}

sub vcl_deliver {
	unset resp.http.Surrogate-Key;
}
`

// A varnish is one in front of a server.
type varnish struct{ url string }

// startVarnish starts one in front of a server. Without varnishd the test is skipped.
func startVarnish(t *testing.T, server *httptest.Server) *varnish {
	t.Helper()
	if _, err := exec.LookPath("varnishd"); err != nil {
		t.Skip("there is no varnishd in the PATH")
	}
	dir := t.TempDir()
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	vcl := filepath.Join(dir, "edge.vcl")
	if err := os.WriteFile(vcl, fmt.Appendf(nil, edgeVCL, port), 0o600); err != nil {
		t.Fatal(err)
	}
	address := freeAddress(t)
	return startFront(t, address, "varnishd", "-F", "-j", "none", "-n", filepath.Join(dir, "work"), "-a", address, "-f", vcl, "-s", "malloc,16m")
}

// startFront starts a program that listens on an address, until the test ends.
func startFront(t *testing.T, address, name string, args ...string) *varnish {
	t.Helper()
	ctx := context.WithoutCancel(t.Context()) // it ends by a signal
	var log bytes.Buffer
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		<-ended
	})
	for tick := time.Tick(50 * time.Millisecond); ; {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		if err == nil {
			_ = conn.Close()
			return &varnish{"http://" + address}
		}
		select {
		case <-ended:
			t.Fatalf("%s has ended: %s", name, &log)
		case <-tick:
		}
	}
}

// edgeNginx is the configuration of an nginx in front of the server, which keeps what it may.
const edgeNginx = `
daemon off;
master_process off;
pid %[1]s/nginx.pid;
error_log stderr;
events {}
http {
	access_log off;
	client_body_temp_path %[1]s/body;
	proxy_temp_path %[1]s/proxy;
	fastcgi_temp_path %[1]s/fastcgi;
	uwsgi_temp_path %[1]s/uwsgi;
	scgi_temp_path %[1]s/scgi;
	proxy_cache_path %[1]s/cache keys_zone=edge:1m;
	server {
		listen %[2]s;
		location / {
			proxy_pass http://127.0.0.1:%[3]s;
			proxy_http_version 1.1;
			proxy_cache edge;
			proxy_cache_revalidate on;
			proxy_cache_lock on;
			proxy_set_header X-Edge-Token "` + edgeToken + `";
			proxy_hide_header Surrogate-Key;
			add_header X-Cache $upstream_cache_status;
		}
	}
}
`

// startNginx starts an nginx in front of a server. It cannot purge by keys. Without nginx the test is skipped.
func startNginx(t *testing.T, server *httptest.Server) *varnish {
	t.Helper()
	if _, err := exec.LookPath("nginx"); err != nil {
		t.Skip("there is no nginx in the PATH")
	}
	dir, address := t.TempDir(), freeAddress(t)
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	conf := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, edgeNginx, dir, address, port), 0o600); err != nil {
		t.Fatal(err)
	}
	return startFront(t, address, "nginx", "-p", dir, "-c", conf)
}

// freeAddress returns an address that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// purge is Edge.Purge.
func (v *varnish) purge(ctx context.Context, keys []string) error {
	r, err := http.NewRequestWithContext(ctx, "BAN", v.url, http.NoBody)
	if err != nil {
		return err
	}
	r.Header.Set("X-Keys", strings.Join(keys, "|"))
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("BAN: %s", resp.Status)
	}
	return nil
}

// A reply is a response that was read.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// do sends a request. It may be called from any goroutine.
func (v *varnish) do(t *testing.T, method, target, body string, header http.Header) (got reply) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, v.url+target, strings.NewReader(body))
	if err != nil {
		t.Error(err)
		return got
	}
	maps.Copy(r.Header, header)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Error(err)
		return got
	}
	defer resp.Body.Close()
	got = reply{status: resp.StatusCode, header: resp.Header}
	if got.body, err = io.ReadAll(resp.Body); err != nil {
		t.Error(err)
	}
	return got
}

// get asks for an answer, unless it has the tag.
func (v *varnish) get(t *testing.T, document, tag string) reply {
	t.Helper()
	header := http.Header{}
	if tag != "" {
		header.Set("If-None-Match", tag)
	}
	return v.do(t, http.MethodGet, "/graphql?query="+url.QueryEscape(document), "", header)
}

// read returns the version that a client is shown.
func (v *varnish) read(t *testing.T, document string) int {
	t.Helper()
	got := v.get(t, document, "")
	var answer struct {
		Data struct{ Thing struct{ Name string } }
	}
	_ = json.Unmarshal(got.body, &answer)
	version, err := strconv.Atoi(answer.Data.Thing.Name)
	if err != nil || got.header.Get("Surrogate-Key") != "" {
		t.Errorf("%s %v", got.body, got.header)
	}
	return version
}

// write makes a change, and returns when it is acknowledged.
func (v *varnish) write(t *testing.T, version int) {
	t.Helper()
	body := fmt.Sprintf(`{"query":"mutation { putThing(sku: \"a\", name: \"%d\") }"}`, version)
	got := v.do(t, http.MethodPost, "/graphql", body, http.Header{"Content-Type": {"application/json"}})
	if string(got.body) != `{"data":{"putThing":true}}` {
		t.Errorf("%s", got.body)
	}
}

const readThing = `{ thing(sku: "a") { name } }`

// An origin is a server with the cache.
type origin struct {
	handler atomic.Pointer[http.Handler]
	answers atomic.Int64 // to GET
	// late is called between the making of an answer and its sending; nil is nothing.
	late atomic.Pointer[func(r *http.Request)]
}

func (o *origin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	made := httptest.NewRecorder()
	(*o.handler.Load()).ServeHTTP(made, r)
	if r.Method == http.MethodGet {
		o.answers.Add(1)
	}
	if late := o.late.Load(); late != nil {
		(*late)(r)
	}
	maps.Copy(w.Header(), made.Header())
	w.WriteHeader(made.Code)
	_, _ = w.Write(made.Body.Bytes())
}

// startOrigin starts a server whose things everybody may see, and a Varnish in front of it.
func startOrigin(t *testing.T, o func(*varnish) gqlcache.HTTP) (*origin, *varnish, *gqlcache.Cache) {
	t.Helper()
	return startOriginBehind(t, startVarnish, o)
}

// startOriginBehind is startOrigin for another cache in front.
func startOriginBehind(t *testing.T, start func(*testing.T, *httptest.Server) *varnish, o func(*varnish) gqlcache.HTTP) (*origin, *varnish, *gqlcache.Cache) {
	t.Helper()
	made := &origin{}
	server := httptest.NewServer(made)
	t.Cleanup(server.Close)
	front := start(t, server)
	store := shop.NewStore()
	store.PutThing("a", "0")
	r := &shop.Resolver{Store: store}
	es := shop.NewExecutableSchema(shop.Config{Resolvers: r, Schema: withPublicThings(shop.Executable(r).Schema())})
	cache := newCache(t, gqlcache.Options{HTTP: o(front)})
	srv := handler.New(es)
	gqlcache.Install(srv, cache, transport.GET{}, transport.POST{})
	h := http.Handler(srv)
	made.handler.Store(&h)
	return made, front, cache
}

// withPublicThings returns a copy of the schema of which things are PUBLIC.
func withPublicThings(s *ast.Schema) *ast.Schema {
	public := &ast.Directive{Name: "cacheControl", Arguments: ast.ArgumentList{{Name: "scope", Value: &ast.Value{Raw: "PUBLIC", Kind: ast.EnumValue}}}}
	c, thing, query := *s, *s.Types["Thing"], *s.Types["Query"]
	thing.Directives = append(slices.Clone(thing.Directives), public)
	query.Fields = slices.Clone(query.Fields)
	for i, f := range query.Fields {
		if f.Name == "thing" {
			field := *f
			field.Directives = append(slices.Clone(field.Directives), public)
			query.Fields[i] = &field
		}
	}
	c.Types = maps.Clone(s.Types)
	c.Types["Thing"], c.Types["Query"], c.Query = &thing, &query, &query
	return &c
}

// readers read all the time, until the returned function is called, which returns how often. A read that began when seen had
// a version must not show an older one.
func readers(t *testing.T, front *varnish, seen *atomic.Int64) (stop func() int64) {
	t.Helper()
	var done atomic.Bool
	var reading sync.WaitGroup
	var reads atomic.Int64
	for range 8 {
		reading.Go(func() {
			for !done.Load() {
				least := int(seen.Load())
				if got := front.read(t, readThing); got < least {
					t.Errorf("version %d, after %d", got, least)
				}
				reads.Add(1)
			}
		})
	}
	return func() int64 {
		done.Store(true)
		reading.Wait()
		return reads.Load()
	}
}

// TestEdgeAsks: by default a cache in front asks before each use, so it shows what is acknowledged, whoever reads meanwhile.
// A client that has the answer gets none.
func TestEdgeAsks(t *testing.T) {
	t.Parallel()
	made, front, _ := startOrigin(t, func(*varnish) gqlcache.HTTP { return gqlcache.HTTP{} })
	var acknowledged atomic.Int64
	stop := readers(t, front, &acknowledged)
	tag := ""
	for version := 1; version <= 100; version++ {
		front.write(t, version)
		acknowledged.Store(int64(version))
		for _, want := range []int{http.StatusOK, http.StatusNotModified} {
			got := front.get(t, readThing, tag)
			if got.status != want {
				t.Errorf("version %d: %d %s, want %d", version, got.status, got.body, want)
			}
			tag = got.header.Get("ETag")
		}
	}
	if reads := stop() + 200; made.answers.Load() != reads {
		t.Errorf("%d answers to %d reads", made.answers.Load(), reads)
	}
}

// TestNginxAsks: an nginx in front keeps no answer by default, so it shows what is acknowledged, whoever reads meanwhile.
func TestNginxAsks(t *testing.T) {
	t.Parallel()
	made, front, _ := startOriginBehind(t, startNginx, func(*varnish) gqlcache.HTTP { return gqlcache.HTTP{} })
	var acknowledged atomic.Int64
	stop := readers(t, front, &acknowledged)
	for version := 1; version <= 100; version++ {
		front.write(t, version)
		acknowledged.Store(int64(version))
		if got := front.read(t, readThing); got != version {
			t.Errorf("version %d, after %d", got, version)
		}
	}
	if reads := stop() + 100; made.answers.Load() != reads {
		t.Errorf("%d answers to %d reads", made.answers.Load(), reads)
	}
}

// TestNginxKeeps: an nginx in front keeps what the server's owner lets it keep, for as long, and asks with the answer's tag
// afterwards; it keeps nothing else.
func TestNginxKeeps(t *testing.T) {
	t.Parallel()
	made, front, _ := startOriginBehind(t, startNginx, func(v *varnish) gqlcache.HTTP {
		o := keepFor(v, func() {}, func() {})
		o.Edge.Purge = nil
		return o
	})
	var all [3]reply
	for i := range all {
		all[i] = front.get(t, readThing, "")
	}
	if n := made.answers.Load(); n != 1 || all[2].header.Get("X-Cache") != "HIT" || string(all[2].body) != string(all[0].body) {
		t.Errorf("%d answers; the last reply: %s %v", n, all[2].body, all[2].header)
	}
	if got := front.get(t, readThing, all[0].header.Get("ETag")); got.status != http.StatusNotModified {
		t.Errorf("%d %s to a client that has it", got.status, got.body)
	}
	for range 2 {
		front.get(t, "{ nothing }", "")
	}
	if n := made.answers.Load(); n != 3 {
		t.Errorf("%d answers: an error was kept", n-1)
	}
}

// edgeInFlight is how long an answer may be on its way in these tests.
const edgeInFlight = time.Second

// keepFor lets the cache in front answer for a minute. before and after are called around each purge.
func keepFor(front *varnish, before, after func()) gqlcache.HTTP {
	return gqlcache.HTTP{
		CacheControl: func(_ context.Context, proposed string) string {
			if proposed == "no-cache" {
				return "public, s-maxage=60"
			}
			return proposed
		},
		Edge: gqlcache.Edge{
			Secret: []byte("16 bytes or more"), Header: "Surrogate-Key", InFlight: edgeInFlight, WaitForPurge: true,
			Trusted: func(r *http.Request) bool { return r.Header.Get("X-Edge-Token") == edgeToken },
			Purge: func(ctx context.Context, keys []string) error {
				before()
				defer after()
				return front.purge(ctx, keys)
			},
		},
	}
}

// TestEdgeIsPurged: a cache in front that answers by itself shows nothing old once the second purge is over, whoever reads
// meanwhile; and nobody but it sees keys.
func TestEdgeIsPurged(t *testing.T) {
	t.Parallel()
	purges := make(chan struct{}, 100)
	made, front, cache := startOrigin(t, func(v *varnish) gqlcache.HTTP { return keepFor(v, func() {}, func() { purges <- struct{}{} }) })
	var safe atomic.Int64
	stop := readers(t, front, &safe)
	for version := 1; version <= 3; version++ {
		front.write(t, version)
		<-purges // the first, which the mutation has waited for
		<-purges // the second
		safe.Store(int64(version))
		if got := front.read(t, readThing); got != version {
			t.Errorf("version %d, after %d", got, version)
		}
	}
	stop()
	if s := cache.Stats(); s.EdgePurgeErrors != 0 || made.answers.Load() > 1000 {
		t.Errorf("%d purges failed; %d answers of the server", s.EdgePurgeErrors, made.answers.Load())
	}
}

// TestEdgeIsPurgedTwice: an answer that was on its way when its row changed is kept after the first purge, and removed by
// the second.
func TestEdgeIsPurgedTwice(t *testing.T) {
	t.Parallel()
	purges, mayPurge := make(chan struct{}, 100), make(chan struct{}, 100)
	made, front, _ := startOrigin(t, func(v *varnish) gqlcache.HTTP {
		return keepFor(v, func() { <-mayPurge }, func() { purges <- struct{}{} })
	})
	t.Cleanup(func() { close(mayPurge) })
	held, send := make(chan struct{}), make(chan struct{})
	late := func(r *http.Request) {
		if r.Method == http.MethodGet {
			close(held)
			<-send
		}
	}
	made.late.Store(&late)
	var reading sync.WaitGroup
	reading.Go(func() { front.read(t, readThing) })
	<-held
	made.late.Store(nil)
	mayPurge <- struct{}{}
	front.write(t, 1)
	<-purges
	close(send)
	reading.Wait()
	if got := front.read(t, readThing); got != 0 {
		t.Errorf("version %d after the first purge: nothing was on its way", got)
	}
	mayPurge <- struct{}{}
	<-purges
	if got := front.read(t, readThing); got != 1 {
		t.Errorf("version %d after the second purge", got)
	}
}
