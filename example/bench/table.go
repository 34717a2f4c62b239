package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// writeTable writes what was measured at one size.
func writeTable(w io.Writer, figures []*figure) {
	statics := map[string]*figure{}
	for _, f := range figures {
		if f.static {
			statics[f.encoding] = f
		}
	}
	if len(figures) == 0 {
		return
	}
	fmt.Fprintf(w, "\n| %d bytes | requests/s | CPU per request | p50 | p99 | allocations |\n|---|---|---|---|---|---|\n", plainBytes(figures))
	for _, f := range figures {
		allocations := "–"
		if !f.foreign {
			allocations = fmt.Sprintf("%.0f", float64(f.mallocs)/float64(len(f.latencies)))
		}
		rate, spent := f.rate(), f.spent()
		rates, cpu := fmt.Sprintf("%.0f", rate), micro(spent)
		if s := statics[f.encoding]; s != nil && s != f {
			rates += fmt.Sprintf(" (%.0f %%)", 100*rate/s.rate())
			cpu += fmt.Sprintf(" (× %.2f)", float64(spent)/float64(s.spent()))
		}
		fmt.Fprintf(w, "| %s | %s | %s | %s | %s | %s |\n",
			f.label, rates, cpu, micro(f.quantile(.5)), micro(f.quantile(.99)), allocations)
	}
}

// plainBytes is the length of the answers that are not compressed.
func plainBytes(figures []*figure) int {
	for _, f := range figures {
		if f.encoding == "" {
			return f.bytes
		}
	}
	return figures[0].bytes
}

func (f *figure) rate() float64 { return float64(len(f.latencies)) / f.took.Seconds() }

func (f *figure) spent() time.Duration { return f.cpu / time.Duration(max(1, len(f.latencies))) }

// quantile returns a quantile of the latencies.
func (f *figure) quantile(q float64) time.Duration {
	if len(f.latencies) == 0 {
		return 0
	}
	slices.Sort(f.latencies)
	return f.latencies[int(q*float64(len(f.latencies)-1))]
}

// micro is a duration in microseconds, with three digits that count.
func micro(d time.Duration) string {
	us := float64(d) / 1e3
	switch {
	case us < 10:
		return fmt.Sprintf("%.2f µs", us)
	case us < 100:
		return fmt.Sprintf("%.1f µs", us)
	}
	return fmt.Sprintf("%.0f µs", us)
}

// machine says where and how it was measured.
func machine(o *options, load string) string {
	text := fmt.Sprintf("Measured with %s on %s/%s (%s, %d cores", runtime.Version(), runtime.GOOS, runtime.GOARCH, processor(), runtime.NumCPU())
	if load != "" {
		text += ", load average " + load + " at the start"
	}
	protocol := ""
	if o.http2 {
		protocol = " over HTTP/2 without TLS"
	}
	return text + fmt.Sprintf("). One client on the same machine, %d connections%s, %v for each row, in turns of %v. In brackets: relative to the static handler that sends the same bytes.\n",
		o.conns, protocol, o.time, turn)
}

func processor() string {
	b, _ := os.ReadFile("/proc/cpuinfo") // where there is none, its name is missing
	for line := range strings.SplitSeq(string(b), "\n") {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "an unknown processor"
}

// loadAverage is how many processes were running or wanted to, in the last minute.
func loadAverage() string {
	b, _ := os.ReadFile("/proc/loadavg")
	load, _, _ := strings.Cut(string(b), " ")
	return load
}

const (
	markerBegin = "<!-- written by example/bench -->\n"
	markerEnd   = "<!-- end of what example/bench writes -->\n"
)

// replaceBetweenMarkers puts text between the markers of a file.
func replaceBetweenMarkers(file, text string) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	before, rest, ok := bytes.Cut(b, []byte(markerBegin))
	_, after, ended := bytes.Cut(rest, []byte(markerEnd))
	if !ok || !ended {
		return errors.New(file + " has no markers")
	}
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	whole := slices.Concat(before, []byte(markerBegin), []byte(wrapped(text)), []byte(markerEnd), after)
	return os.WriteFile(file, whole, info.Mode())
}

// wrapped breaks the lines that are no rows of a table.
func wrapped(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "|") || line == "\n" {
			b.WriteString(line)
			continue
		}
		at := 0
		for word := range strings.FieldsSeq(line) {
			switch n := len([]rune(word)); {
			case at == 0:
				at = n
			case at+1+n > 100:
				b.WriteByte('\n')
				at = n
			default:
				b.WriteByte(' ')
				at += 1 + n
			}
			b.WriteString(word)
		}
		b.WriteByte('\n')
	}
	return b.String()
}
