package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/cascadeql/cascadeql/example/internal/blog"
	"github.com/cascadeql/cascadeql/gqlcache/footprint"
)

// patience is how long a server that was asked to stop waits for its requests.
const patience = 5 * time.Second

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Getenv, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "example:", strings.ReplaceAll(err.Error(), "\n", " "))
		os.Exit(1)
	}
}

// run serves until the context is done.
func run(ctx context.Context, getenv func(string) string, out io.Writer) (err error) {
	cfg, err := configFrom(getenv)
	if err != nil {
		return err
	}
	// First of all: a busy port must leave nothing behind.
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(cfg.port)))
	if err != nil {
		return fmt.Errorf("%w (PORT chooses another port)", err)
	}
	defer listener.Close()
	watched := newObserver(cfg)
	store, demo, closeStore, err := openStore(ctx, cfg, watched)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeStore()) }()
	store.SetLatency(cfg.latency)

	var shared *cluster
	if cfg.redis != "" && cfg.cache {
		if shared, err = newCluster(cfg.redis, store.Name()); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, shared.client.Close()) }()
	}
	cache, err := newCache(cfg, shared, watched)
	if err != nil {
		return err
	}
	if cache != nil {
		defer func() { err = errors.Join(err, cache.Close()) }()
	}
	if shared != nil {
		shared.join(ctx, out)
	}
	fmt.Fprintf(out, "listening on http://%s\n", listener.Addr())
	if demo {
		fmt.Fprint(out, demoHelp(listener.Addr().String()))
	}
	return serve(ctx, listener, newServerOver(schemaOver(store, cfg), store, cache))
}

// openStore opens the configured database, or a temporary one with demo data, which is
// removed when it is closed.
func openStore(ctx context.Context, cfg config, watched *footprint.Observer) (store *blog.Store, demo bool, closeStore func() error, err error) {
	if cfg.database != "" {
		store, err = blog.OpenWith(ctx, blogOptions(cfg.database, watched))
		if err != nil {
			return nil, false, nil, err
		}
		return store, false, store.Close, nil
	}
	dir, err := os.MkdirTemp("", "cascadeql-example-")
	if err != nil {
		return nil, false, nil, err
	}
	if store, err = blog.OpenWith(ctx, blogOptions(filepath.Join(dir, "demo.db"), watched)); err != nil {
		return nil, false, nil, errors.Join(err, os.RemoveAll(dir))
	}
	closeStore = func() error { return errors.Join(store.Close(), os.RemoveAll(dir)) }
	if err := seedDemo(ctx, store); err != nil {
		return nil, false, nil, errors.Join(err, closeStore())
	}
	return store, true, closeStore, nil
}

// serve answers requests until the context is done, then those that have begun.
func serve(ctx context.Context, listener net.Listener, h http.Handler) error {
	srv := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute,
		WriteTimeout:      2 * time.Minute,
		IdleTimeout:       2 * time.Minute,
	}
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	if err := srv.Shutdown(ctx); err != nil {
		_ = srv.Close() // cuts off who would not end
	}
	if err := <-failed; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
