package opkey

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"reflect"

	"github.com/vektah/gqlparser/v2/ast"
)

// A decoder takes keys apart again. That it can is the proof that unequal things have
// unequal bytes.
type decoder struct{ b []byte }

func (d *decoder) byte() byte {
	b := d.b[0]
	d.b = d.b[1:]
	return b
}

func (d *decoder) count() int {
	n, size := binary.Uvarint(d.b)
	if size <= 0 {
		panic("no count")
	}
	d.b = d.b[size:]
	return int(n)
}

func (d *decoder) text() string {
	n := d.count()
	s := string(d.b[:n])
	d.b = d.b[n:]
	return s
}

func (d *decoder) variables() map[string]any {
	m := map[string]any{}
	for range d.count() {
		k := d.text()
		m[k] = d.variable()
	}
	return m
}

func (d *decoder) variable() any {
	switch kind := d.byte(); kind {
	case 'n':
		return nil
	case 't', 'f':
		return kind == 't'
	case 's':
		return d.text()
	case '#':
		return json.Number(d.text())
	case 'k':
		return d.number()
	case 'l':
		list := []any{}
		for range d.count() {
			list = append(list, d.variable())
		}
		return list
	case 'L':
		return []any(nil)
	case 'o':
		return d.variables()
	case 'O':
		return map[string]any(nil)
	default:
		panic(fmt.Sprintf("variable of kind %q", kind))
	}
}

func (d *decoder) number() any {
	kind := reflect.Kind(d.byte())
	bits := binary.BigEndian.Uint64(d.b)
	d.b = d.b[8:]
	switch kind {
	case reflect.Int:
		return int(bits)
	case reflect.Int64:
		return int64(bits)
	case reflect.Float64:
		return math.Float64frombits(bits)
	}
	panic("number of kind " + kind.String())
}

// document decodes a normal form into a document with one operation and fragments named
// F0, F1, …
func (d *decoder) document() *ast.QueryDocument {
	op := &ast.OperationDefinition{Operation: map[byte]ast.Operation{
		'q': ast.Query, 'm': ast.Mutation, 'u': ast.Subscription,
	}[d.byte()]}
	op.VariableDefinitions = d.definitions()
	op.Directives = d.directives()
	op.SelectionSet = d.selections()
	doc := &ast.QueryDocument{Operations: ast.OperationList{op}}
	for len(d.b) > 0 {
		if d.byte() != 'F' {
			panic("no fragment")
		}
		doc.Fragments = append(doc.Fragments, &ast.FragmentDefinition{
			Name:               fragmentName(len(doc.Fragments)),
			TypeCondition:      d.text(),
			VariableDefinition: d.definitions(),
			Directives:         d.directives(),
			SelectionSet:       d.selections(),
		})
	}
	return doc
}

func fragmentName(i int) string { return fmt.Sprintf("F%d", i) }

func (d *decoder) definitions() (list ast.VariableDefinitionList) {
	for range d.count() {
		v := &ast.VariableDefinition{Variable: d.text(), Type: d.typ()}
		if d.byte() == 1 {
			v.DefaultValue = d.value()
		}
		v.Directives = d.directives()
		list = append(list, v)
	}
	return list
}

func (d *decoder) typ() *ast.Type {
	switch b := d.byte(); b {
	case 't', 'T':
		return &ast.Type{NamedType: d.text(), NonNull: b == 'T'}
	case 'l', 'L':
		return &ast.Type{Elem: d.typ(), NonNull: b == 'L'}
	}
	panic("no type")
}

func (d *decoder) directives() (list ast.DirectiveList) {
	for range d.count() {
		list = append(list, &ast.Directive{Name: d.text(), Arguments: d.arguments()})
	}
	return list
}

func (d *decoder) arguments() (list ast.ArgumentList) {
	for range d.count() {
		list = append(list, &ast.Argument{Name: d.text(), Value: d.value()})
	}
	return list
}

func (d *decoder) selections() (set ast.SelectionSet) {
	for range d.count() {
		switch d.byte() {
		case 'f':
			set = append(set, &ast.Field{
				Alias: d.text(), Name: d.text(), Arguments: d.arguments(), Directives: d.directives(), SelectionSet: d.selections(),
			})
		case 's':
			set = append(set, &ast.FragmentSpread{Name: fragmentName(d.count()), Directives: d.directives()})
		case 'i':
			set = append(set, &ast.InlineFragment{TypeCondition: d.text(), Directives: d.directives(), SelectionSet: d.selections()})
		default:
			panic("no selection")
		}
	}
	return set
}

func (d *decoder) value() *ast.Value {
	kinds := map[byte]ast.ValueKind{
		'$': ast.Variable, 'i': ast.IntValue, 'd': ast.FloatValue, 's': ast.StringValue, 'b': ast.BooleanValue, 'e': ast.EnumValue,
	}
	switch b := d.byte(); b {
	case 'n':
		return &ast.Value{Kind: ast.NullValue, Raw: "null"}
	case 'l':
		v := &ast.Value{Kind: ast.ListValue}
		for range d.count() {
			v.Children = append(v.Children, &ast.ChildValue{Value: d.value()})
		}
		return v
	case 'o':
		v := &ast.Value{Kind: ast.ObjectValue}
		for range d.count() {
			v.Children = append(v.Children, &ast.ChildValue{Name: d.text(), Value: d.value()})
		}
		return v
	default:
		kind, ok := kinds[b]
		if !ok {
			panic("no value")
		}
		return &ast.Value{Kind: kind, Raw: d.text()}
	}
}
