package main

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/cascadeql/cascadeql/example/internal/blog"
)

// A config is what the environment says.
type config struct {
	port int // PORT, on 127.0.0.1; 0 is any free one. Defaults to 8080.
	// DB_PATH, the SQLite file, or DATABASE_URL, a database of PostgreSQL 15 or later, as
	// in postgres://user@host/name. Defaults to a temporary file with demo data.
	database string
	latency  time.Duration // DB_LATENCY_MS, artificial latency of the database. Defaults to 0.
	redis    string        // REDIS_URL. Defaults to none: the server's own memory.
	cache    bool          // CACHE, on or off. Defaults to on.
	// DIRECTIVES, on or off. Without them the cache knows what the SQL tells it. Defaults
	// to on.
	directives bool
}

// maxLatency is far beyond what any client waits for.
const maxLatency = time.Hour

// configFrom reads the configuration from the environment, of which getenv returns one
// variable. The error names every variable that is wrong, in one line.
func configFrom(getenv func(string) string) (config, error) {
	cfg := config{port: 8080, database: getenv("DB_PATH"), redis: getenv("REDIS_URL"), cache: true, directives: true}
	var faults []error
	if text := getenv("PORT"); text != "" {
		port, err := strconv.ParseUint(text, 10, 16)
		if err != nil {
			faults = append(faults, fmt.Errorf("PORT is %q, not a port number", text))
		}
		cfg.port = int(port)
	}
	if text := getenv("DATABASE_URL"); text != "" {
		if !blog.IsURL(text) { // it may hold a password
			faults = append(faults, errors.New("DATABASE_URL does not begin with postgres://"))
		}
		if cfg.database != "" {
			faults = append(faults, errors.New("DB_PATH and DATABASE_URL are two databases"))
		}
		cfg.database = text
	}
	if text := getenv("DB_LATENCY_MS"); text != "" {
		var err error
		if cfg.latency, err = parseLatency(text); err != nil {
			faults = append(faults, fmt.Errorf("DB_LATENCY_MS is %w", err))
		}
	}
	switch text := getenv("CACHE"); text {
	case "", "on":
	case "off":
		cfg.cache = false
	default:
		faults = append(faults, fmt.Errorf("CACHE is %q, neither on nor off", text))
	}
	switch text := getenv("DIRECTIVES"); text {
	case "", "on":
	case "off":
		cfg.directives = false
	default:
		faults = append(faults, fmt.Errorf("DIRECTIVES is %q, neither on nor off", text))
	}
	return cfg, oneLine(faults)
}

func oneLine(faults []error) error {
	if len(faults) == 0 {
		return nil
	}
	text := faults[0].Error()
	for _, f := range faults[1:] {
		text += "; " + f.Error()
	}
	return errors.New(text)
}

// parseLatency reads a number of milliseconds.
func parseLatency(text string) (time.Duration, error) {
	ms, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(ms) || ms < 0 || ms > float64(maxLatency/time.Millisecond) {
		return 0, fmt.Errorf("%q, not a number of milliseconds from 0 to %d", text, maxLatency.Milliseconds())
	}
	return time.Duration(ms * float64(time.Millisecond)), nil
}
