package catalog

import (
	"maps"
	"slices"
	"strings"
)

// Places say which schemas have a relation of a name. They are not changed once they were
// read.
type Places struct {
	schemas map[string]*place
	// reader is the role that has read them, and usable says of a schema that the role may
	// use it.
	reader string
	// epoch counts the readings that have found other relations than the one before. born
	// has the epochs of those that were found since the first one, and all is at least that
	// of any other.
	epoch, all uint64
	born       map[relationName]uint64
}

type relationName struct{ schema, name string }

// maxBorn bounds the relations whose epochs are remembered one by one.
const maxBorn = 10_000

// After says that another reading came before, nil for one that has failed.
func (p *Places) After(o *Places) {
	if o == nil {
		p.epoch, p.all = 1, 1
		return
	}
	p.epoch, p.all, p.born = o.epoch, o.all, o.born
	var found []relationName
	for schema, at := range p.schemas {
		var before map[string]bool
		if was := o.schemas[schema]; was != nil {
			before = was.names
		}
		for name := range at.names {
			if !before[name] {
				found = append(found, relationName{schema, name})
			}
		}
	}
	if len(found) == 0 && len(p.schemas) == len(o.schemas) {
		return
	}
	p.epoch++
	if len(o.born)+len(found) > maxBorn {
		p.all, p.born = p.epoch, nil
		return
	}
	p.born = maps.Clone(o.born)
	if p.born == nil {
		p.born = map[relationName]uint64{}
	}
	for _, r := range found {
		p.born[r] = p.epoch
	}
}

// Epoch is larger for a later reading that has found other relations.
func (p *Places) Epoch() uint64 { return p.epoch }

// young reports whether a relation may have been created since an epoch.
func (p *Places) young(schema, name string, since uint64) bool {
	return p.all > since || p.born[relationName{schema, name}] > since
}

// A place is a schema. Schemas with equal relations share their names.
type place struct {
	names  map[string]bool
	usable bool
	// scattered says that some relation belongs to the root of another schema, or is the
	// root of one: its rows are of several schemas.
	scattered bool
}

// A Path is a search_path, as far as it is known.
type Path struct {
	// Schemas are searched in this order.
	Schemas []string
	// Role is the one that searches, "" when it is not known: PostgreSQL leaves out schemas
	// that it may not use.
	Role string
	// Since is the Epoch from before the connection was opened.
	Since uint64
}

// ParsePath splits the value of a search_path, as PostgreSQL does. ok is false for one that
// it refuses, and for one with an element that is not understood here.
func ParsePath(value, role string) (p Path, ok bool) {
	for rest := strings.TrimSpace(value); rest != ""; {
		var name string
		if rest[0] == '"' {
			var end int
			if name, end = quoted(rest, 0, false); end < 0 {
				return p, false
			}
			rest = strings.TrimSpace(rest[end:])
		} else {
			end := strings.IndexAny(rest, ", \t\n\r\f\v")
			if end < 0 {
				end = len(rest)
			}
			if name = rest[:end]; strings.ContainsAny(name, `"`) {
				return p, false
			}
			// PostgreSQL folds other letters by the locale.
			if strings.ContainsFunc(name, func(r rune) bool { return r >= 0x80 }) {
				return p, false
			}
			name, rest = lower(name), strings.TrimSpace(rest[end:])
		}
		if !p.Add(name, role) {
			return p, false
		}
		if rest == "" {
			break
		}
		if rest[0] != ',' {
			return p, false
		}
		if rest = strings.TrimSpace(rest[1:]); rest == "" {
			return p, false
		}
	}
	p.Role = role
	return p, true
}

// maxName is how long a name of PostgreSQL's can be. Longer ones are cut.
const maxName = 63

// Add adds a schema by its name. ok is false where it is not known which one is meant.
func (p *Path) Add(name, role string) (ok bool) {
	switch {
	case name == "$user":
		if role == "" {
			return false
		}
		p.Schemas = append(p.Schemas, "$user")
		return true
	case name == "pg_catalog", name == "pg_temp":
		return true // relations that they hide are Unresolvable
	case name == "", len(name) > maxName, strings.HasPrefix(name, "pg_"), name == "information_schema":
		return false
	}
	p.Schemas = append(p.Schemas, name)
	return true
}

// Find returns the schema in which a relation is found by its name. ok is false when that
// is not known. absent is a schema of the path that is not known, "" for none: it may have
// been created since.
//
// PostgreSQL leaves out schemas that the role may not use. Which ones these are is known of
// the role that has read the catalog. For others a schema is the right one if none of those
// behind it has the name: then the statement is refused, or reads from it. So it is with a
// relation that may be younger than the connection: PostgreSQL goes on with the plan of a
// prepared statement, or of a function, that has found the name in a schema behind it.
func (p *Places) Find(path *Path, name string) (schema, absent string, ok bool) {
	for _, s := range path.Schemas {
		if s == "$user" {
			if s = path.Role; p.schemas[s] == nil {
				continue // most databases have none
			}
		}
		at := p.schemas[s]
		switch {
		case at == nil:
			return "", s, false
		case !at.names[name]:
		case schema != "" && schema != s:
			return "", "", false // which of them is not known
		case path.Role != "" && path.Role == p.reader && at.usable && schema == "" && !p.young(s, name, path.Since):
			return s, "", !at.scattered
		default:
			schema = s
		}
	}
	return schema, "", schema != "" && !p.schemas[schema].scattered
}

// Has reports whether a schema has a relation of a name, all of whose rows are the schema's.
func (p *Places) Has(schema, name string) bool {
	at := p.schemas[schema]
	return at != nil && at.names[name] && !at.scattered
}

// placesOf makes Places of relations. usable are the schemas that the reader may use.
func placesOf(relations []*relation, reader string, usable map[string]bool) *Places {
	p := &Places{schemas: map[string]*place{}, reader: reader}
	names := map[string][]string{}
	for schema, ok := range usable {
		p.schemas[schema] = &place{usable: ok}
		names[schema] = nil
	}
	for _, r := range relations {
		at := p.schemas[r.schema]
		if at == nil {
			at = &place{}
			p.schemas[r.schema] = at
		}
		names[r.schema] = append(names[r.schema], r.name)
		if root := r.root.schema; root != r.schema || r.mixed {
			at.scattered = true
			if of := p.schemas[root]; of != nil {
				of.scattered = true
			} else {
				p.schemas[root] = &place{scattered: true}
			}
		}
	}
	shared := map[string]map[string]bool{}
	for _, schema := range slices.Sorted(maps.Keys(names)) {
		list := names[schema]
		slices.Sort(list)
		key := joined(list...)
		set := shared[key]
		if set == nil {
			set = make(map[string]bool, len(list))
			for _, name := range list {
				set[name] = true
			}
			shared[key] = set
		}
		p.schemas[schema].names = set
	}
	return p
}

// spelled returns a view's definition without the name of its own schema: it is equal in two
// schemas when the views are. A name that is the schema's and no qualifier may be an alias
// and stand before a column, too: then the definition equals no other.
func spelled(definition, schema string) string {
	tokens, ok := scan(PostgreSQL, definition)
	if !ok {
		return joined("of", schema, definition)
	}
	var b strings.Builder
	for i, t := range tokens {
		if (t.kind == 'q' || t.kind == 'w') && t.text == schema {
			if i+1 == len(tokens) || tokens[i+1].kind != '.' {
				return joined("of", schema, definition)
			}
			b.WriteString("$")
			continue
		}
		if t.kind == 's' || t.kind == 'q' {
			b.WriteByte(t.kind)
		}
		b.WriteString(joined(t.text))
	}
	return b.String()
}
