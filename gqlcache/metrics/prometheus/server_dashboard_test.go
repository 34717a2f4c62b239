//go:build dashboard

package cacheprometheus_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// patience is how long something may take that takes a second or two.
const patience = 30 * time.Second

// A prometheusServer is a Prometheus of the test's own, which ends with it.
type prometheusServer struct {
	url string
	out bytes.Buffer
}

// startPrometheus scrapes targets every half second, and evaluates the rules of a file
// every second.
func startPrometheus(t *testing.T, rules string, targets []string) *prometheusServer {
	t.Helper()
	dir := t.TempDir()
	rules, err := filepath.Abs(rules)
	if err != nil {
		t.Fatal(err)
	}
	config, err := json.Marshal(map[string]any{ // JSON is YAML
		"global":     map[string]string{"scrape_interval": "500ms", "scrape_timeout": "500ms", "evaluation_interval": "1s"},
		"rule_files": []string{rules},
		"scrape_configs": []any{map[string]any{
			"job_name": "api", "static_configs": []any{map[string]any{"targets": targets}},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(file, config, 0o600); err != nil {
		t.Fatal(err)
	}
	addr := freeAddr(t)
	p := &prometheusServer{url: "http://" + addr}
	cmd := exec.CommandContext(t.Context(), "prometheus", "--config.file="+file, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+addr)
	cmd.Stdout, cmd.Stderr = &p.out, &p.out
	if err := cmd.Start(); err != nil {
		t.Fatalf("this test needs prometheus and promtool: install the package prometheus (Debian, Ubuntu): %v", err)
	}
	t.Cleanup(func() {
		_ = cmd.Wait() // it ends with the context
		if t.Failed() {
			t.Log(p.out.String())
		}
	})
	eventually(t, "prometheus is ready", func() error {
		_, err := get(t.Context(), p.url+"/-/ready")
		return err
	})
	return p
}

func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// eventually asks again and again until there is no error.
func eventually(t *testing.T, what string, ask func() error) {
	t.Helper()
	over := time.After(patience)
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for {
		err := ask()
		if err == nil {
			return
		}
		select {
		case <-over:
			t.Errorf("%s: not after %v: %v", what, patience, err)
			return
		case <-again.C:
		}
	}
}

func get(ctx context.Context, at string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(resp.Body); err != nil {
		return "", err
	}
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s: %s", resp.Status, b.String())
	}
	return b.String(), nil
}

// query evaluates an expression and returns how many samples there are, and how many of
// them are numbers.
func (p *prometheusServer) query(ctx context.Context, expr string) (samples, numbers int, err error) {
	body, err := get(ctx, p.url+"/api/v1/query?query="+url.QueryEscape(expr))
	if err != nil {
		return 0, 0, err
	}
	var answer struct {
		Data struct {
			ResultType string
			Result     []struct{ Value [2]any }
		}
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		return 0, 0, err
	}
	for _, s := range answer.Data.Result {
		if v := s.Value[1]; v != "NaN" && v != "+Inf" && v != "-Inf" {
			numbers++
		}
	}
	return len(answer.Data.Result), numbers, nil
}

// promtool runs the tool that comes with Prometheus.
func promtool(t *testing.T, stdin string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "promtool", args...)
	cmd.Stdin = strings.NewReader(stdin)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}
