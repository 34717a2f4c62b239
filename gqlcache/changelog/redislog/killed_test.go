package redislog_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/changelog/redislog"
	"github.com/cascadeql/cascadeql/internal/redistest"
)

// mutatorEnv is set in the process of a mutator: the address of its server. The namespace
// is beside it.
const mutatorEnv = "REDISLOG_TEST_MUTATOR"

// deafSink applies nothing: the mutator caches nothing.
type deafSink struct{}

func (deafSink) Apply(changelog.Record)       {}
func (deafSink) Flush(epoch, number uint64)   {}
func mutatorFailed(what string, err error)    { fmt.Println("failed:", what, err); os.Exit(1) }
func mutatorClient(addr string) *redis.Client { return redis.NewClient(redistest.Options(addr)) }

// mutate is a process that announces a change of register 0, says so, and never publishes
// it.
func mutate(addr, namespace string) {
	ctx := context.Background()
	log, err := redislog.New(mutatorClient(addr), redislog.Options{
		Namespace: namespace, TTL: ttl, IntentTTL: patientTTL, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		mutatorFailed("New", err)
	}
	if err := log.Start(ctx, deafSink{}); err != nil {
		mutatorFailed("Start", err)
	}
	for range 1000 {
		if log.Fresh() {
			break
		}
		<-time.After(10 * time.Millisecond)
	}
	if _, err := log.Intend(ctx, entity(0), false); err != nil {
		mutatorFailed("Intend", err)
	}
	fmt.Println("announced")
	_, _ = io.Copy(io.Discard, os.Stdin) // until the parent is gone, at the latest
}

// TestKilledMutator: a process is killed after its commit. While it lived, its
// announcement was stood by for longer than others wait for a sign.
func TestKilledMutator(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	c := newIntentRig(t, s.Addr(), 2, redislog.Options{IntentTTL: patientTTL})
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), mutatorEnv+"="+s.Addr(), mutatorEnv+"_NAMESPACE="+c.o.Namespace)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range c.all {
		l.until(t, "an entry", func() bool { return l.hit(0) })
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = in.Close(); _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	line, err := bufio.NewReader(out).ReadString('\n')
	if strings.TrimSpace(line) != "announced" {
		t.Fatalf("the mutator says %q, %v", line, err)
	}
	over(patientTTL * 3 / 2)
	c.db.write(0, 8)
	for n, l := range c.all {
		if l.serves(0) || l.Stats().Expired > 0 {
			t.Errorf("instance %d serves what a living process has announced: %+v", n, l.Stats())
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for _, l := range c.all {
		l.until(t, "to serve it again", func() bool { return l.hit(0) })
		if v := l.read(0); v != 8 {
			t.Errorf("it reads %d", v)
		}
	}
	if n := c.all[0].Stats().Expired + c.all[1].Stats().Expired; n != 1 {
		t.Errorf("the announcement was ended %d times", n)
	}
}
