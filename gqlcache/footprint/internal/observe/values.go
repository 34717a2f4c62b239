package observe

import (
	"bytes"
	"database/sql/driver"
	"encoding/json"
	"reflect"
	"slices"
	"strings"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/analysis"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/rowtag"
)

// arguments are those of one run of a statement, for the parameters of its template.
type arguments struct {
	list  []driver.NamedValue
	folds *folds // nil for a text that is its own template
}

// get returns the argument of a parameter. A parameter with a name, with its sign, has the
// argument of that name where there is one.
func (args arguments) get(n int, name string) (v any, ok bool) {
	if len(name) > 1 {
		for i := range args.list {
			if args.list[i].Name == name[1:] {
				return args.list[i].Value, true
			}
		}
	}
	if args.folds != nil {
		if n, ok = args.folds.argument(n); !ok {
			return nil, false
		}
	}
	return args.at(n)
}

// told is get of what a driver binds.
func (args arguments) told(n int, name string) (v any, ok bool) {
	v, ok = args.get(n, name)
	return taken(v), ok
}

// at returns the argument with an ordinal.
func (args arguments) at(n int) (v any, ok bool) {
	if n >= 1 && n <= len(args.list) && args.list[n-1].Ordinal == n && args.list[n-1].Name == "" {
		return args.list[n-1].Value, true
	}
	for i := range args.list {
		if args.list[i].Ordinal == n && args.list[i].Name == "" {
			return args.list[i].Value, true
		}
	}
	return nil, false
}

// spread returns the ordinals of the arguments that a parameter of a list stands for: see
// folds.spread. ok is false for a parameter that has one argument.
func (args arguments) spread(n int) (from, to int, ok bool) {
	if args.folds == nil {
		return 0, 0, false
	}
	return args.folds.spread(n)
}

// maxListed bounds the values of one source.
const maxListed = 1024

// values evaluates a source under a class. off says that the term is no condition at all.
func (args arguments) values(class catalog.Class, s *analysis.Source) (vals []rowtag.Value, ok, off bool) {
	vals, ok, off = args.appendValues(nil, class, s)
	if len(vals) > 1 {
		slices.Sort(vals)
		vals = slices.Compact(vals)
	}
	return vals, ok, off
}

func (args arguments) appendValues(vals []rowtag.Value, class catalog.Class, s *analysis.Source) (_ []rowtag.Value, ok, off bool) {
	if class == catalog.Opaque {
		return nil, false, false
	}
	if s.Unless != 0 || s.UnlessName != "" {
		if v, found := args.told(s.Unless, s.UnlessName); !found {
			return nil, false, false
		} else if isNull(v) {
			return nil, true, true
		}
	}
	one := func(v any) bool {
		x, ok := rowtag.ValueOf(class, v)
		if ok = ok && len(vals) < maxListed; ok {
			vals = append(vals, x)
		}
		return ok
	}
	switch s.Kind {
	case analysis.Constant:
		if s.Number && class != catalog.Int && class != catalog.Bool {
			return nil, false, false
		}
		return vals, one(s.Text), false
	case analysis.Param:
		if from, to, several := args.spread(s.Param); several {
			for n := from; n < to; n++ {
				if v, found := args.at(n); !found || !one(taken(v)) {
					return nil, false, false
				}
			}
			return vals, true, false
		}
		v, found := args.told(s.Param, s.Name)
		return vals, found && one(v), false
	case analysis.List:
		for i := range s.List {
			if vals, ok, off = args.appendValues(vals, class, &s.List[i]); !ok || off {
				return nil, false, false
			}
		}
		return vals, true, false
	case analysis.JSONList, analysis.Array:
		list, ok := args.listed(s)
		for i := 0; ok && i < len(list); i++ {
			ok = one(list[i])
		}
		return vals, ok, false
	}
	return nil, false, false
}

// listed returns the elements of a list that is one argument.
func (args arguments) listed(s *analysis.Source) (list []any, ok bool) {
	v, found := args.told(s.Param, s.Name)
	switch {
	case !found:
		return nil, false
	case s.Kind == analysis.JSONList:
		return jsonElements(v)
	case s.Kind == analysis.Array:
		return elements(v)
	}
	return nil, false
}

// where returns the columns of Ref.Where that decide. Those of a condition that holds when
// a parameter is NULL do not where it is.
func (args arguments) where(r *analysis.Ref) catalog.Mask {
	if len(r.Options) == 0 {
		return r.Where
	}
	var off, on catalog.Mask
	for _, o := range r.Options {
		if v, found := args.told(o.Param, o.Name); found && isNull(v) {
			off |= o.Columns
		} else {
			on |= o.Columns
		}
	}
	return r.Where &^ (off &^ on)
}

// text evaluates a source to one text.
func (args arguments) text(s *analysis.Source) (text string, ok bool) {
	if s.Unless != 0 || s.UnlessName != "" {
		if v, found := args.told(s.Unless, s.UnlessName); !found || isNull(v) {
			return "", false
		}
	}
	switch s.Kind {
	case analysis.Constant:
		return s.Text, !s.Number
	case analysis.Param:
		v, found := args.told(s.Param, s.Name)
		if !found {
			return "", false
		}
		return textOf(v)
	}
	return "", false
}

// textOf returns the text of a value that is one.
func textOf(v any) (string, bool) {
	switch x := v.(type) {
	case string:
		return strings.Clone(x), true
	case []byte:
		return string(x), x != nil
	}
	if rv := reflect.ValueOf(v); rv.Kind() == reflect.String {
		return strings.Clone(rv.String()), true
	}
	return "", false
}

func isNull(v any) bool {
	if v == nil {
		return true
	}
	x, ok := rowtag.ValueOf(catalog.Bytes, v)
	return ok && x == rowtag.Null
}

// number evaluates a source to a whole number.
func (args arguments) number(s *analysis.Source) (n int64, ok bool) {
	var v any
	switch {
	case s.Unless != 0 || s.UnlessName != "":
		return 0, false
	case s.Kind == analysis.Constant:
		v = s.Text
	case s.Kind == analysis.Param:
		if v, ok = args.told(s.Param, s.Name); !ok {
			return 0, false
		}
	default:
		return 0, false
	}
	return wholeNumber(v)
}

// wholeNumber reads a number that a driver has or a text says.
func wholeNumber(v any) (n int64, ok bool) {
	switch x := v.(type) {
	case int64:
		return x, true
	case string:
		return parseWhole(x)
	}
	switch rv := reflect.ValueOf(v); rv.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return rv.Int(), true
	}
	return 0, false
}

func parseWhole(s string) (n int64, ok bool) {
	if s == "" || len(s) > 18 {
		return 0, false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = 10*n + int64(s[i]-'0')
	}
	return n, true
}

// jsonElements returns the elements of a JSON array: texts, numbers and nulls.
func jsonElements(v any) (list []any, ok bool) {
	text, ok := textOf(v)
	if !ok {
		return nil, false
	}
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	if dec.Decode(&list) != nil || dec.More() || list == nil {
		return nil, false
	}
	for i, x := range list {
		switch x := x.(type) {
		case json.Number:
			list[i] = string(x)
		case string, nil:
		default:
			return nil, false
		}
	}
	return list, true
}

// elements returns the elements of a slice, or of the text of an array of PostgreSQL.
func elements(v any) (list []any, ok bool) {
	switch x := v.(type) {
	case string:
		return arrayElements(x)
	case []byte:
		return arrayElements(string(x))
	case nil:
		return nil, true // = ANY (NULL) is true of nothing
	}
	rv := reflect.ValueOf(v)
	if rv.Kind() != reflect.Slice && rv.Kind() != reflect.Array || rv.Len() > maxListed {
		return nil, false
	}
	for i := range rv.Len() {
		if !rv.Index(i).CanInterface() {
			return nil, false
		}
		list = append(list, taken(rv.Index(i).Interface()))
	}
	return list, true
}

// arrayElements reads an array of one dimension: {1,2,"a b",NULL}.
func arrayElements(s string) (list []any, ok bool) {
	if len(s) < 2 || s[0] != '{' || s[len(s)-1] != '}' {
		return nil, false
	}
	if s = s[1 : len(s)-1]; s == "" {
		return nil, true
	}
	for {
		var text bytes.Buffer
		quoted := s != "" && s[0] == '"'
		i := 0
		if quoted {
			for i = 1; i < len(s) && s[i] != '"'; i++ {
				if s[i] == '\\' {
					i++
				}
				if i < len(s) {
					text.WriteByte(s[i])
				}
			}
			i++
		} else {
			for ; i < len(s) && s[i] != ','; i++ {
				if strings.IndexByte(`{}"\ `+"\t\r\n\v\f", s[i]) >= 0 {
					return nil, false
				}
				text.WriteByte(s[i])
			}
			if i == 0 {
				return nil, false
			}
		}
		if i > len(s) || len(list) >= maxListed {
			return nil, false
		}
		if !quoted && strings.EqualFold(text.String(), "null") {
			list = append(list, nil)
		} else {
			list = append(list, text.String())
		}
		if i == len(s) {
			return list, true
		}
		if s[i] != ',' {
			return nil, false
		}
		s = s[i+1:]
	}
}

// returned is the normal form of a value that a driver has returned. Bytes that are nil are
// NULL as an argument, but modernc.org/sqlite returns a blob without bytes so, too.
func returned(class catalog.Class, v driver.Value) (x rowtag.Value, ok bool) {
	if b, is := v.([]byte); is && b == nil {
		return 0, false
	}
	return rowtag.ValueOf(class, v)
}
