package extractor

import (
	"fmt"

	"github.com/vektah/gqlparser/v2/ast"
)

// A collector is the CollectFields algorithm of GraphQL for one object type, with @skip
// and @include taken as true: which of the fields are in a response depends on variables,
// where they can be does not.
type collector struct {
	builder *builder
	object  *ast.Definition
	groups  [][]*ast.Field // nodes by response name, in order of first appearance
	byName  map[string]int
	visited map[string]bool
}

func (c *collector) set(set ast.SelectionSet) error {
	for _, sel := range set {
		if err := c.builder.visit(); err != nil {
			return err
		}
		var err error
		switch sel := sel.(type) {
		case *ast.Field:
			err = c.field(sel)
		case *ast.InlineFragment:
			if c.builder.satisfies(c.object, sel.TypeCondition) {
				err = c.set(sel.SelectionSet)
			}
		case *ast.FragmentSpread:
			f := c.builder.fragments[sel.Name]
			if c.visited[sel.Name] || !c.builder.satisfies(c.object, f.TypeCondition) {
				continue
			}
			c.visited[sel.Name] = true
			err = c.set(f.SelectionSet)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *collector) field(n *ast.Field) error {
	i, ok := c.byName[n.Alias]
	if !ok {
		c.byName[n.Alias] = len(c.groups)
		c.groups = append(c.groups, []*ast.Field{n})
		return nil
	}
	first := c.groups[i][0]
	if first.Name != n.Name || !sameArguments(first.Arguments, n.Arguments) {
		return fmt.Errorf("%w: %q selects different fields of %s", ErrInvalid, n.Alias, c.object.Name)
	}
	c.groups[i] = append(c.groups[i], n)
	return nil
}

func sameArguments(a, b ast.ArgumentList) bool {
	if len(a) != len(b) {
		return false
	}
	for _, x := range a {
		y := b.ForName(x.Name)
		if y == nil || x.Value.String() != y.Value.String() {
			return false
		}
	}
	return true
}

func (b *builder) visit() error {
	b.visits++
	if b.visits > visitsPerField*b.spec.MaxFields {
		return fmt.Errorf("%w: its fragments reach too far", ErrTooLarge)
	}
	return nil
}

// satisfies reports whether an object type meets a type condition.
func (b *builder) satisfies(object *ast.Definition, condition string) bool {
	if condition == "" || condition == object.Name {
		return true
	}
	for _, t := range b.spec.Schema.GetImplements(object) {
		if t != nil && t.Name == condition {
			return true
		}
	}
	return false
}
