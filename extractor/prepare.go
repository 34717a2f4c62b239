package extractor

import (
	"errors"
	"fmt"

	"github.com/vektah/gqlparser/v2/ast"
)

const defaultMaxFields = 10_000

// What Prepare can answer instead of an operation. Each means that the operation cannot
// be cached; the client's document can still be executed as it is.
var (
	// ErrTooLarge says that the operation has more response positions than
	// Spec.MaxFields.
	ErrTooLarge = errors.New("extractor: operation too large")
	// ErrInvalid says that the document was not validated against the schema.
	ErrInvalid = errors.New("extractor: invalid document")
	// ErrAlias says that the client uses an alias with this process's nonce.
	ErrAlias = errors.New("extractor: alias is reserved")
)

// Prepare builds the tree of an operation's response positions, and a copy of the
// operation that tells the key of every object. The client's document is not modified,
// and what needs no change is shared with it, so it must not be modified afterwards. The
// error wraps ErrTooLarge, ErrInvalid or ErrAlias. Prepare does not block; it calls
// Spec.Key and Spec.Paths.
func Prepare(spec Spec, doc *ast.QueryDocument, op *ast.OperationDefinition) (*Operation, error) {
	if spec.Schema == nil || doc == nil || op == nil {
		return nil, fmt.Errorf("%w: schema, document and operation are needed", ErrInvalid)
	}
	if spec.MaxFields <= 0 {
		spec.MaxFields = defaultMaxFields
	}
	s := scan{spec: &spec, doc: doc, fragments: map[string]*ast.FragmentDefinition{}, state: map[string]scanState{}}
	for _, f := range doc.Fragments {
		s.fragments[f.Name] = f
	}
	if err := s.set(op.SelectionSet); err != nil {
		return nil, err
	}
	b := newBuilder(&spec, s.fragments)
	if err := b.build(rootType(spec.Schema, op), op.SelectionSet); err != nil {
		return nil, err
	}
	out := b.op
	out.Doc, out.Operation, out.Deferred = doc, op, s.deferred
	if !out.Deferred {
		newInjector(b).run(doc, op)
	}
	if !out.Injected {
		for _, f := range out.Root.Fields {
			f.Cascade = false
		}
	}
	return out, nil
}

func rootType(schema *ast.Schema, op *ast.OperationDefinition) *ast.Definition {
	switch op.Operation {
	case ast.Mutation:
		return schema.Mutation
	case ast.Subscription:
		return schema.Subscription
	default:
		return schema.Query
	}
}

// A scan looks once at every node that an operation reaches and refuses what the later
// steps rely on: definitions are there, fragments exist and form no cycle, no alias is
// ours.
type scan struct {
	spec      *Spec
	doc       *ast.QueryDocument
	fragments map[string]*ast.FragmentDefinition
	state     map[string]scanState
	deferred  bool
}

type scanState uint8

const (
	scanOpen scanState = iota + 1
	scanDone
)

func (s *scan) set(set ast.SelectionSet) error {
	for _, sel := range set {
		var err error
		switch sel := sel.(type) {
		case *ast.Field:
			err = s.field(sel)
		case *ast.InlineFragment:
			s.deferred = s.deferred || sel.Directives.ForName("defer") != nil
			err = s.set(sel.SelectionSet)
		case *ast.FragmentSpread:
			s.deferred = s.deferred || sel.Directives.ForName("defer") != nil
			err = s.fragment(sel.Name)
		default:
			err = fmt.Errorf("%w: %T in a selection", ErrInvalid, sel)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *scan) field(f *ast.Field) error {
	if IsHidden(f.Alias) {
		return ErrAlias
	}
	if f.Definition == nil || f.Definition.Type == nil || f.Alias == "" {
		return fmt.Errorf("%w: field %q has no definition", ErrInvalid, f.Name)
	}
	return s.set(f.SelectionSet)
}

func (s *scan) fragment(name string) error {
	switch s.state[name] {
	case scanOpen:
		return fmt.Errorf("%w: fragment %q spreads itself", ErrInvalid, name)
	case scanDone:
		return nil
	}
	f := s.fragments[name]
	if f == nil {
		return fmt.Errorf("%w: no fragment %q", ErrInvalid, name)
	}
	s.state[name] = scanOpen
	err := s.set(f.SelectionSet)
	s.state[name] = scanDone
	return err
}
