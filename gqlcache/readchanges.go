package gqlcache

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// readChanges reads the body of a request to InvalidateHandler. The error is for the
// client: it says where the document is wrong, and what to do.
//
// It reads token by token. json.Unmarshal takes a field in another case, keeps the last
// of two fields of one name, and lets null stand for anything. Each would lose a change
// without an error, and leave answers stale.
func readChanges(body []byte) ([]Change, error) {
	if !utf8.Valid(body) {
		return nil, errors.New("the body is not in UTF-8; encode it so")
	}
	if err := json.Unmarshal(body, new(json.RawMessage)); err != nil {
		return nil, fmt.Errorf(`the body is no JSON document (%w); send one such as {"changes": [{"view": "v_post"}]}`, err)
	}
	r := changesReader{json.NewDecoder(bytes.NewReader(body))}
	r.UseNumber()
	var changes []Change
	err := r.object("the body", func(name string) error {
		if name != "changes" {
			return unknownField("the body", name, "changes")
		}
		return r.list("changes", func(i int) error {
			ch, err := r.change("changes[" + strconv.Itoa(i) + "]")
			changes = append(changes, ch)
			return err
		})
	})
	if err == nil && len(changes) == 0 {
		err = errors.New(`changes is missing or empty; name at least one change, such as {"view": "v_post"}`)
	}
	return changes, err
}

// A changesReader reads a document that is valid JSON. Each method is named for the value
// that it reads. Its first argument is the place of that value, for errors.
type changesReader struct{ *json.Decoder }

func (r changesReader) change(at string) (ch Change, err error) {
	kinds := 0
	err = r.object(at, func(name string) (err error) {
		kinds++
		at := at + "." + name
		switch name {
		case "row":
			ch, err = r.row(at)
		case "where":
			ch, err = r.where(at)
		case "everything":
			ch = Everything()
			err = r.yes(at)
		default:
			var ok bool
			if ch.kind, ok = namedKinds[name]; !ok {
				return unknownField(strings.TrimSuffix(at, "."+name), name, changeKinds+" or everything")
			}
			ch.name, err = r.name(at)
		}
		return err
	})
	if err == nil && kinds != 1 {
		err = fmt.Errorf("%s must have one of "+changeKinds+" and everything, and has %d; make each change an object of its own", at, kinds)
	}
	return ch, err
}

// changeKinds are the names of all kinds of changes but the last one.
const changeKinds = "row, view, where, operation, operationsMatching, tag, computed, computedMatching, tenant"

// namedKinds are the kinds of changes that a name is all of.
var namedKinds = map[string]changeKind{
	"view": changeView, "operation": changeOperation, "operationsMatching": changeOperations, "tag": changeTag,
	"computed": changeComputed, "computedMatching": changeComputedMatching, "tenant": changeTenant,
}

func (r changesReader) row(at string) (ch Change, err error) {
	ch.kind = changeEntity
	err = r.parts(at, "type and id", `a type and an id, such as {"type": "Post", "id": "1"}`, map[string]func(string) error{
		"type": func(at string) (err error) { ch.name, err = r.name(at); return err },
		"id":   func(at string) (err error) { ch.id, err = r.id(at); return err },
	})
	return ch, err
}

func (r changesReader) where(at string) (ch Change, err error) {
	ch.kind = changeWhere
	const wanted = `a type, a column and a value, such as {"type": "Comment", "column": "post.id", "value": "1"}`
	err = r.parts(at, "type, column and value", wanted, map[string]func(string) error{
		"type":   func(at string) (err error) { ch.name, err = r.name(at); return err },
		"column": func(at string) (err error) { ch.column, err = r.name(at); return err },
		"value":  func(at string) (err error) { ch.id, err = r.value(at); return err },
	})
	return ch, err
}

// parts reads an object that must have each of the parts. names and wanted say so in errors.
func (r changesReader) parts(at, names, wanted string, parts map[string]func(at string) error) error {
	n := 0
	err := r.object(at, func(name string) error {
		n++
		read, ok := parts[name]
		if !ok {
			return unknownField(at, name, names)
		}
		return read(at + "." + name)
	})
	if err == nil && n != len(parts) {
		err = fmt.Errorf("%s must have %s", at, wanted)
	}
	return err
}

// value reads a value of a column. Null is none: it is what a program sends that has not set
// its variable.
func (r changesReader) value(at string) (any, error) {
	t, err := r.Token()
	switch t := t.(type) {
	case json.Number, bool:
		return t, err
	case string:
		return t, checkText(at, t)
	}
	return nil, fmt.Errorf("%s must be a string, a number, true or false; name the whole view for rows without a value", at)
}

func (r changesReader) id(at string) (any, error) {
	t, err := r.Token()
	switch t := t.(type) {
	case json.Number:
		return t, err
	case string:
		return t, checkText(at, t)
	}
	return nil, fmt.Errorf("%s must be a string or a number", at)
}

func (r changesReader) name(at string) (string, error) {
	t, _ := r.Token()
	s, ok := t.(string)
	if !ok {
		return "", fmt.Errorf("%s must be a string", at)
	}
	return s, checkText(at, s)
}

// checkText refuses texts that name nothing: an empty one, as of a variable that the
// program has not set, and one in which the decoder has replaced half a surrogate pair.
func checkText(at, s string) error {
	switch {
	case s == "":
		return fmt.Errorf("%s is empty", at)
	case strings.ContainsRune(s, utf8.RuneError):
		return fmt.Errorf("%s has a character that is not in Unicode; name the whole view instead", at)
	}
	return nil
}

func (r changesReader) yes(at string) error {
	if t, _ := r.Token(); t != true {
		return fmt.Errorf("%s must be true; leave it out if not everything has changed", at)
	}
	return nil
}

// object reads an object. It calls field behind the name of each field.
func (r changesReader) object(at string, field func(name string) error) error {
	if t, _ := r.Token(); t != json.Delim('{') {
		return fmt.Errorf("%s must be an object", at)
	}
	var seen []string // few, because a field that is unknown ends the reading
	for r.More() {
		t, err := r.Token()
		name, ok := t.(string)
		switch {
		case !ok:
			return fmt.Errorf("%s has a field without a name: %w", at, err)
		case slices.Contains(seen, name):
			return fmt.Errorf("%s has %s twice; make each change an object of its own", at, quoted(name))
		}
		seen = append(seen, name)
		if err := field(name); err != nil {
			return err
		}
	}
	_, err := r.Token()
	return err
}

// list reads a list. It calls element before each element, with its index.
func (r changesReader) list(at string, element func(i int) error) error {
	if t, _ := r.Token(); t != json.Delim('[') {
		return fmt.Errorf("%s must be a list", at)
	}
	for i := 0; r.More(); i++ {
		if err := element(i); err != nil {
			return err
		}
	}
	_, err := r.Token()
	return err
}

func unknownField(at, name, known string) error {
	return fmt.Errorf("%s has the unknown field %s; it may have %s", at, quoted(name), known)
}

// quoted quotes the beginning of a text that a client has chosen.
func quoted(s string) string {
	const most = 60
	if len(s) > most {
		s = clip(s, most) + "…"
	}
	return strconv.Quote(s)
}
