package main

import (
	"bufio"
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestMain lets the tests start servers as the program does: from its own file.
func TestMain(m *testing.M) {
	if slices.Contains(os.Args, "-serve") {
		main()
		return
	}
	os.Exit(m.Run())
}

// TestHits measures each server once, and writes the tables.
func TestHits(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "page.md")
	if err := os.WriteFile(file, []byte("before\n"+markerBegin+"old\n"+markerEnd+"after\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := run(t.Context(), []string{"-time", "200ms", "-sizes", "1,10", "-conns", "2", "-write", file}, &out); err != nil {
		t.Fatal(err)
	}
	written, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if s := string(written); !strings.HasPrefix(s, "before\n") || !strings.HasSuffix(s, "after\n") || strings.Contains(s, "old") {
		t.Errorf("the file is\n%s", s)
	}
	for _, k := range kinds {
		want := 2
		if k.encoding != "" {
			want = 1 // an answer of 1 KB is not compressed
		}
		if got := strings.Count(string(written), "| "+k.label+" |"); got != want {
			t.Errorf("%d rows of %s, want %d\n%s", got, k.name, want, out.String())
		}
	}
}

// TestHTTP2 measures a server over HTTP/2.
func TestHTTP2(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := run(t.Context(), []string{"-http2", "-time", "200ms", "-sizes", "10", "-servers", "direct,gzip", "-conns", "2"}, &out); err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(out.String(), "\n| "); got != 5 || !strings.Contains(out.String(), "HTTP/2") {
		t.Errorf("%d rows, want a head and four\n%s", got, out.String())
	}
}

// TestEntries measures hits among few entries.
func TestEntries(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := run(t.Context(), []string{"-mode", "entries", "-time", "200ms", "-entries", "5,10", "-conns", "2"}, &out); err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(out.String(), "\n| "); got != 3 {
		t.Errorf("%d rows, want a head and two\n%s", got, out.String())
	}
}

func TestFlags(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"-sizes 5":                       "-sizes has 5",
		"-sizes x":                       `"x" is no positive number`,
		"-servers none":                  `-servers has "none"`,
		"-kb 5":                          "-kb is 5",
		"-mode odd":                      `-mode is "odd"`,
		"-time 1ms":                      "-time 200ms",
		"-profile p":                     "-profile wants one",
		"-http2 -compare x":              "-http2 is for our own",
		"-entries 0":                     `"0" is no positive number`,
		"-write nowhere.md -sizes 1,2,3": "-sizes has 2",
	} {
		if _, err := parse(strings.Fields(args)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", args, err, want)
		}
	}
}

// TestConnReadsAnswers has answers with a length and in chunks behind one another on one
// connection.
func TestConnReadsAnswers(t *testing.T) {
	t.Parallel()
	const text = "HTTP/1.1 200 OK\r\nContent-Type: a\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc" +
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nde\r\na\r\n0123456789\r\n0\r\n\r\n" +
		"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"
	for _, keep := range []bool{true, false} {
		c := &conn{r: bufio.NewReader(strings.NewReader(text))}
		for _, want := range []reply{{"gzip", 3, []byte("abc")}, {"", 12, []byte("de0123456789")}} {
			got, err := c.answer(keep)
			if !keep {
				want.body = nil
			}
			if err != nil || got.encoding != want.encoding || got.length != want.length || !bytes.Equal(got.body, want.body) {
				t.Errorf("keep %v: got %+v, %v, want %+v", keep, got, err, want)
			}
		}
		if _, err := c.answer(keep); err == nil || !strings.Contains(err.Error(), "500 Internal Server Error") {
			t.Errorf("got %v", err)
		}
	}
}
