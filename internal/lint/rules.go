package lint

// Module is the path of this module.
const Module = "github.com/cascadeql/cascadeql"

// A pattern names packages by their directory: "cascade" is this one, "example/..." it
// and all below.

// ours says which of our packages each package may import, in files that are no tests.
// The most specific pattern counts. Every package needs a rule, so that a new one finds
// its place in the order on purpose; everything may not import anything, or the order
// would be a habit.
var ours = map[string][]string{
	"schemahash":                           {},
	"extractor":                            {},
	"cascade/tag":                          {},
	"cascade":                              {"extractor", "cascade/tag"},
	"cascade/lint":                         {"cascade"},
	"cascade/payload":                      {},
	"gqlcache":                             {"schemahash", "extractor", "cascade", "gqlcache/store", "gqlcache/store/memstore", "gqlcache/changelog", "gqlcache/internal/clock", "gqlcache/internal/count", "gqlcache/internal/digest", "gqlcache/internal/edge", "gqlcache/internal/engine", "gqlcache/internal/fleet", "gqlcache/internal/flight", "gqlcache/inspect", "gqlcache/internal/opkey", "gqlcache/internal/plans", "gqlcache/internal/reason", "gqlcache/internal/safe", "gqlcache/internal/verify", "gqlcache/internal/watch", "gqlcache/internal/wire", "gqlcache/internal/probe", "gqlcache/internal/witness", "gqlcache/internal/inspector", "gqlcache/internal/memo", "gqlcache/internal/values", "gqlcache/footprint"},
	"gqlcache/gqlcachetest":                {},
	"gqlcache/inspect":                     {},
	"gqlcache/metrics":                     {"gqlcache", "gqlcache/changelog", "gqlcache/inspect", "gqlcache/store"},
	"gqlcache/metrics/expvar":              {"gqlcache/metrics"},
	"gqlcache/panel":                       {"gqlcache/inspect"},
	"gqlcache/internal/watch":              {"cascade", "gqlcache/inspect"},
	"gqlcache/internal/inspector":          {"cascade", "gqlcache/inspect", "gqlcache/internal/plans", "gqlcache/internal/reason", "gqlcache/internal/safe", "gqlcache/internal/watch"},
	"gqlcache/internal/clock":              {"cascade/tag"},
	"gqlcache/internal/count":              {},
	"gqlcache/internal/digest":             {},
	"gqlcache/internal/memo":               {},
	"gqlcache/internal/pubsub":             {},
	"gqlcache/internal/reason":             {},
	"gqlcache/internal/values":             {"cascade/tag", "gqlcache/internal/opkey"},
	"gqlcache/internal/verify":             {"cascade", "extractor", "gqlcache/inspect", "gqlcache/internal/safe"},
	"gqlcache/internal/safe":               {},
	"gqlcache/internal/edge":               {"cascade/tag", "gqlcache/internal/safe"},
	"gqlcache/internal/engine":             {"cascade/tag", "gqlcache/internal/clock", "gqlcache/internal/safe", "gqlcache/store"},
	"gqlcache/internal/probe":              {"extractor", "gqlcache/internal/safe"},
	"gqlcache/internal/wire":               {"gqlcache/inspect", "gqlcache/internal/digest", "gqlcache/internal/reason", "gqlcache/internal/safe"},
	"gqlcache/internal/witness":            {"gqlcache/internal/safe"},
	"gqlcache/internal/flight":             {},
	"gqlcache/internal/fleet":              {"cascade/tag", "gqlcache/changelog", "gqlcache/internal/clock", "gqlcache/internal/count", "gqlcache/internal/history", "gqlcache/internal/safe", "gqlcache/store"},
	"gqlcache/internal/opkey":              {},
	"gqlcache/internal/plans":              {"schemahash", "extractor", "cascade", "gqlcache/internal/count", "gqlcache/internal/opkey", "gqlcache/internal/reason", "gqlcache/internal/safe"},
	"gqlcache/internal/history":            {"cascade/tag", "gqlcache/changelog"},
	"gqlcache/changelog":                   {"cascade/tag"},
	"gqlcache/changelog/redislog":          {"cascade/tag", "gqlcache/changelog", "gqlcache/internal/pubsub", "gqlcache/internal/safe"},
	"gqlcache/footprint":                   {"cascade/tag", "gqlcache/footprint/internal/catalog", "gqlcache/footprint/internal/keycheck", "gqlcache/footprint/internal/observe", "gqlcache/footprint/internal/rowtag"},
	"gqlcache/footprint/footprintsql":      {"gqlcache/footprint", "gqlcache/footprint/internal/observe"},
	"gqlcache/footprint/internal/sqlparse": {},
	"gqlcache/footprint/internal/catalog":  {},
	"gqlcache/footprint/internal/analysis": {"gqlcache/footprint/internal/catalog", "gqlcache/footprint/internal/sqlparse"},
	"gqlcache/footprint/internal/rowtag":   {"cascade/tag", "gqlcache/footprint/internal/catalog"},
	"gqlcache/footprint/internal/keycheck": {},
	"gqlcache/footprint/internal/observe":  {"cascade/tag", "gqlcache/footprint/internal/analysis", "gqlcache/footprint/internal/catalog", "gqlcache/footprint/internal/keycheck", "gqlcache/footprint/internal/rowtag", "gqlcache/footprint/internal/sqlparse"},
	"gqlcache/redisinstances":              {"gqlcache", "gqlcache/changelog", "gqlcache/changelog/redislog", "gqlcache/store/redisstore"},
	"gqlcache/store":                       {},
	"gqlcache/store/memstore":              {"gqlcache/store"},
	"gqlcache/store/discard":               {"gqlcache/store"},
	"gqlcache/store/storetest":             {"gqlcache/store"},
	"gqlcache/store/redisstore":            {"gqlcache/store", "gqlcache/internal/pubsub", "gqlcache/internal/safe"},
	"gqlcache/store/tiered":                {"gqlcache/store"},
	"internal/docs":                        {},
	"internal/lint":                        {},
	"internal/mutants":                     {},
	"internal/trips":                       {"internal/trips/record"},
	"internal/trips/record":                {},
	// For tests: it is in no list of this table, so nothing else may import it.
	"gqlcache/internal/testgraph": {"cascade", "cascade/payload"},
	"gqlcache/internal/rolegraph": {},
	"gqlcache/internal/hostile":   {},
	"internal/allocs":             {},
	"internal/pgtest":             {},
	"internal/redistest":          {},
	"internal/rounds":             {},
	"example/...":                 {"..."},
}

// theirs says which packages may import a module that is not ours, in files that are no
// tests. A module that is missing here may be imported nowhere: adding one is a decision,
// see CONTRIBUTING.md.
var theirs = map[string][]string{
	"github.com/vektah/gqlparser/v2":    {"schemahash", "extractor", "cascade", "cascade/lint", "gqlcache", "gqlcache/internal/opkey", "gqlcache/internal/plans", "gqlcache/internal/probe", "gqlcache/internal/testgraph", "gqlcache/internal/rolegraph", "gqlcache/internal/hostile", "example/..."},
	"github.com/google/uuid":            {"extractor", "cascade", "gqlcache/internal/probe", "gqlcache/internal/testgraph", "gqlcache/internal/hostile", "example/..."},
	"github.com/99designs/gqlgen":       {"gqlcache", "gqlcache/panel", "gqlcache/internal/probe", "gqlcache/internal/witness", "gqlcache/internal/testgraph", "gqlcache/internal/rolegraph", "gqlcache/internal/hostile", "example/..."},
	"github.com/maypok86/otter/v2":      {"gqlcache/store/memstore", "gqlcache/internal/memo"},
	"github.com/cespare/xxhash/v2":      {"cascade", "gqlcache/footprint/internal/rowtag", "gqlcache/footprint/internal/keycheck"},
	"github.com/redis/go-redis/v9":      {"gqlcache/store/redisstore", "gqlcache/changelog/redislog", "gqlcache/internal/pubsub", "gqlcache/redisinstances", "internal/redistest", "example"},
	"github.com/klauspost/compress":     {"gqlcache/store/redisstore", "gqlcache/internal/wire"},
	"modernc.org/sqlite":                {"example/..."},
	"github.com/jackc/pgx/v5":           {"example/..."},
	"golang.org/x/sync":                 {"example/..."}, // gqlgen's generated code
	"go.uber.org/goleak":                {},              // tests only
	"github.com/anishathalye/porcupine": {},              // tests only
	"pgregory.net/rapid":                {},              // tests only
	"github.com/stretchr/testify":       {},
}

// standard says which packages may import a part of the standard library that is no
// business of the others, in files that are no tests. What is missing here may be
// imported anywhere.
var standard = map[string][]string{
	"net/http": {"gqlcache", "gqlcache/gqlcachetest", "gqlcache/panel", "gqlcache/internal/wire", "gqlcache/internal/testgraph", "gqlcache/internal/hostile", "example/..."},
	"expvar":   {"gqlcache/metrics/expvar", "example/..."}, // it registers a handler when it is imported
	"testing":  {"gqlcache/gqlcachetest", "gqlcache/store/storetest", "gqlcache/internal/testgraph", "internal/allocs", "internal/pgtest", "internal/redistest", "internal/rounds"},
}

// nowhere are modules that not even a test imports.
var nowhere = map[string]string{
	"github.com/stretchr/testify": "the standard library's testing package does",
}

// required says why the root requires each module, directly or not. Everyone who imports
// the cache has all of them in the module graph. The step graph of .ci/run counts that
// graph.
var required = map[string]string{
	"github.com/99designs/gqlgen":         "extended",
	"github.com/vektah/gqlparser/v2":      "extended",
	"github.com/google/uuid":              "the library",
	"github.com/cespare/xxhash/v2":        "the library",
	"github.com/maypok86/otter/v2":        "memstore",
	"github.com/redis/go-redis/v9":        "redisstore, redislog",
	"github.com/klauspost/compress":       "redisstore, compressed answers",
	"github.com/anishathalye/porcupine":   "tests",
	"go.uber.org/goleak":                  "tests",
	"pgregory.net/rapid":                  "tests",
	"go.uber.org/atomic":                  "go-redis",
	"golang.org/x/sys":                    "go-redis",
	"github.com/agnivade/levenshtein":     "gqlgen",
	"github.com/go-viper/mapstructure/v2": "gqlgen",
	"github.com/gorilla/websocket":        "gqlgen",
	"github.com/hashicorp/golang-lru/v2":  "gqlgen",
	"github.com/sosodev/duration":         "gqlgen",
}
