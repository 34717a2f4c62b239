package main

import (
	"encoding/json"
	"net/http"

	"github.com/cascadeql/cascadeql/example/internal/blog"
)

// serveStats tells how many statements were sent. Statements are counted before they are
// sent, so an answered request is in the number with all it caused.
func serveStats(store *blog.Store) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(struct {
			DBStatements uint64 `json:"dbStatements"`
		}{store.Statements()})
	}
}

// setLatency sets the artificial latency of the database from now on.
func setLatency(store *blog.Store) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		latency, err := parseLatency(r.URL.Query().Get("ms"))
		if err != nil {
			http.Error(w, "ms is "+err.Error(), http.StatusBadRequest)
			return
		}
		store.SetLatency(latency)
		w.WriteHeader(http.StatusNoContent)
	}
}
