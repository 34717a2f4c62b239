package e2e

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// strict compiles a definition of the schema, or the whole with "". Members that it does
// not name are faults.
func strict(t *testing.T, definition string) *jsonschema.Schema {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "extension.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := json.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	for _, def := range doc["$defs"].(map[string]any) {
		def.(map[string]any)["additionalProperties"] = false
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("extension.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("extension.schema.json" + definition)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func validate(t *testing.T, s *jsonschema.Schema, raw []byte) error {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(v)
}

// TestSchemaNoticesFaults: the strict schema refuses what it should, or the other test
// proves nothing.
func TestSchemaNoticesFaults(t *testing.T) {
	t.Parallel()
	const good = `{"version":1,"status":"HIT","hit":true,"didCache":false,"collapsed":false,"reason":{"code":"hit","message":""},"operation":{"name":"","type":"query"},"durationUs":1}`
	s := strict(t, "")
	for _, row := range []struct {
		name, json string
		ok         bool
	}{
		{"good", good, true},
		{"notice", `{"consistency":"bounded","token":"1-2"}`, true},
		{"unknown member", strings.Replace(good, `"hit":true`, `"hit":true,"new":1`, 1), false},
		{"unknown member below", strings.Replace(good, `"type":"query"`, `"type":"query","new":1`, 1), false},
		{"another version", strings.Replace(good, `"version":1`, `"version":2`, 1), false},
		{"no reason", strings.Replace(good, `"reason":{"code":"hit","message":""},`, "", 1), false},
		{"unknown status", strings.Replace(good, `"HIT"`, `"SOMETHING"`, 1), false},
		{"text for a number", strings.Replace(good, `"durationUs":1`, `"durationUs":"1"`, 1), false},
	} {
		if err := validate(t, s, []byte(row.json)); (err == nil) != row.ok {
			t.Errorf("%s: %v", row.name, err)
		}
	}
}

// TestRecorded: what the cache says of all kinds of outcomes, of the inspector and its
// actions, and what it is asked, is as the schema says. The tests that these come from
// are run here.
func TestRecorded(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "go", "test", "-count=1", "-run", "^Test(Debug|Explain|Inspector|Actions|Causes|Totals|Cascade|Redaction|Findings)", ".", "-inspect.recorded="+dir)
	cmd.Dir = filepath.Join("..", "..")
	cmd.Env = append(os.Environ(), "GOWORK=") // the root is in a workspace, this module is not
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, row := range []struct {
		name, definition string
		least            int
	}{
		{"Extension", "", 150},
		{"Request", "#/$defs/Request", 3},
	} {
		files, err := filepath.Glob(filepath.Join(dir, row.name+"-*.json"))
		if err != nil {
			t.Fatal(err)
		}
		if len(files) < row.least {
			t.Errorf("%d of %s were recorded, want %d at least", len(files), row.name, row.least)
		}
		t.Logf("%d of %s", len(files), row.name)
		s := strict(t, row.definition)
		for _, file := range files {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := validate(t, s, raw); err != nil {
				t.Errorf("%s: %v", raw, err)
			}
		}
	}
}
