package cacheotel_test

import (
	"regexp"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/cascadeql/cascadeql/gqlcache/metrics"
	cacheotel "github.com/cascadeql/cascadeql/gqlcache/metrics/otel"
)

// conventional are the attributes that the semantic conventions have a name for.
var conventional = map[attribute.Key]bool{
	semconv.GraphQLOperationNameKey: true,
	semconv.GraphQLOperationTypeKey: true,
}

// TestSemanticConventions: names and units are as OpenTelemetry's semantic conventions
// want them.
func TestSemanticConventions(t *testing.T) {
	t.Parallel()
	var (
		name  = regexp.MustCompile(`^gqlcache(\.[a-z][a-z0-9]*(_[a-z0-9]+)*)+$`)
		count = regexp.MustCompile(`^\{[a-z]+\}$`)
		named = map[string]bool{}
	)
	for _, m := range metrics.All() {
		named[m.OpenTelemetry()] = true
	}
	for _, m := range metrics.All() {
		n := m.OpenTelemetry()
		if !name.MatchString(n) {
			t.Errorf("%s: lower case, words with underscores, in the name space gqlcache", n)
		}
		for prefix := n; strings.Contains(prefix, "."); {
			prefix = prefix[:strings.LastIndex(prefix, ".")]
			if named[prefix] {
				t.Errorf("%s is in the name space of the metric %s", n, prefix)
			}
		}
		for word := range strings.FieldsFuncSeq(n, func(r rune) bool { return r == '.' || r == '_' }) {
			switch word {
			case "bytes", "seconds", "ms", "milliseconds", "total", "count", "counter", "gauge", "histogram":
				t.Errorf("%s: the word %s repeats its unit or kind", n, word)
			}
		}
		switch m.Unit {
		case metrics.Seconds, metrics.Bytes, metrics.Ratio:
		default:
			if !count.MatchString(string(m.Unit)) {
				t.Errorf("%s: the unit %q is none of UCUM that is used here", n, m.Unit)
			}
		}
		if m.Kind == metrics.Histogram && (m.Unit != metrics.Seconds || !strings.HasSuffix(n, ".duration")) {
			t.Errorf("%s: a histogram of %q", n, m.Unit)
		}
		if k := attribute.Key(m.Label); m.Label != "" && !conventional[k] && !name.MatchString(m.Label) {
			t.Errorf("%s: the attribute %s is neither of the conventions nor of the name space gqlcache", n, k)
		}
	}
	for _, k := range []attribute.Key{cacheotel.AttributeOperation, cacheotel.AttributeType, cacheotel.AttributeOutcome, cacheotel.AttributeReason} {
		if !conventional[k] && !name.MatchString(string(k)) {
			t.Errorf("the attribute %s is neither of the conventions nor of the name space gqlcache", k)
		}
	}
}
