package cascade

import (
	"errors"
	"fmt"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// A site is a field with a directive: what the directive's paths start from.
type site struct {
	owner *ast.Definition
	field *ast.FieldDefinition
	// write is set for @writes, where paths may start at result; otherwise they may start
	// at parent, unless the owner is a root type.
	write bool
}

// A pathEnd is where a path leads.
type pathEnd struct {
	def *ast.Definition
	// optional is set when there may be no value at the end: something on the way is
	// nullable.
	optional bool
}

// operandPath follows the path of an operand.
func (c *compiler) operandPath(s site, op operandDecl) (pathEnd, error) {
	switch op.Kind {
	case fromArgs:
		return c.argsPath(s.field, op.Path)
	case fromParent:
		return c.parentPath(s, op.Path)
	case fromResult:
		if !s.write {
			return pathEnd{}, errors.New("result stands for what a mutation returned: in " + c.at(dirReads) + " use args or parent")
		}
		returned := c.schema.Types[s.field.Type.Name()]
		return c.fieldPath(returned, s.field.Type, op.Path, "result")
	default:
		return pathEnd{}, nil
	}
}

func (c *compiler) parentPath(s site, path []string) (pathEnd, error) {
	switch {
	case s.write:
		return pathEnd{}, errors.New("parent stands for the object that has a field: in " + c.at(dirWrites) + " use args or result")
	case c.isRoot(s.owner):
		return pathEnd{}, fmt.Errorf("a field of %s has no parent: use args", s.owner.Name)
	case len(path) == 0:
		return pathEnd{}, errors.New("parent alone is no value: name one of its fields, such as parent.id")
	}
	return c.fieldPath(s.owner, nil, path, "parent")
}

// leafPath is operandPath for operands that must be values.
func (c *compiler) leafPath(s site, op operandDecl) (pathEnd, error) {
	end, err := c.operandPath(s, op)
	if err != nil || end.def == nil || end.def.IsLeafType() {
		return end, err
	}
	return end, fmt.Errorf("the path %s ends at %s: go on to a scalar or enum", pathText(op), end.def.Name)
}

func (c *compiler) argsPath(field *ast.FieldDefinition, path []string) (pathEnd, error) {
	if len(path) == 0 {
		return pathEnd{}, errors.New("args alone is no value: name an argument, such as args.id")
	}
	arg := field.Arguments.ForName(path[0])
	if arg == nil {
		known := make([]string, len(field.Arguments))
		for i, a := range field.Arguments {
			known[i] = a.Name
		}
		return pathEnd{}, fmt.Errorf("field %s has no argument %s: %s", field.Name, path[0], suggest(path[0], known))
	}
	end := pathEnd{c.schema.Types[arg.Type.Name()], isNullable(arg.Type)}
	for _, step := range path[1:] {
		if end.def.Kind != ast.InputObject {
			return pathEnd{}, fmt.Errorf("%s has no field %s because it is a %s: end the path before it", end.def.Name, step, kindName(end.def))
		}
		f := end.def.Fields.ForName(step)
		if f == nil {
			return pathEnd{}, fmt.Errorf("input %s has no field %s: %s", end.def.Name, step, suggest(step, fieldNames(end.def)))
		}
		// The defaults of input fields are applied by the code that unmarshals them, so
		// they may be missing from the variables: such a value counts as absent.
		end = pathEnd{c.schema.Types[f.Type.Name()], end.optional || isNullable(f.Type) || f.DefaultValue != nil}
	}
	return end, nil
}

// fieldPath follows fields from a type on. The type of the value to start from may be nil
// when it is known to be there; root is for messages.
func (c *compiler) fieldPath(def *ast.Definition, typ *ast.Type, path []string, root string) (pathEnd, error) {
	end := pathEnd{def: def, optional: typ != nil && isNullable(typ)}
	for _, step := range path {
		if end.def.Kind != ast.Object && end.def.Kind != ast.Interface {
			return pathEnd{}, fmt.Errorf("%s has no field %s because it is a %s: end the path before it", end.def.Name, step, kindName(end.def))
		}
		f := end.def.Fields.ForName(step)
		if f == nil || strings.HasPrefix(step, "__") {
			return pathEnd{}, fmt.Errorf("type %s has no field %s: %s", end.def.Name, step, suggest(step, fieldNames(end.def)))
		}
		if arg := requiredArgument(f); arg != "" {
			return pathEnd{}, fmt.Errorf("the path %s goes through %s.%s, which needs the argument %s: find another path", joinPath(root, path), end.def.Name, step, arg)
		}
		end = pathEnd{c.schema.Types[f.Type.Name()], end.optional || isNullable(f.Type)}
	}
	return end, nil
}

// isNullable says whether a value of the type, or an element of it, may be null.
func isNullable(t *ast.Type) bool {
	for ; t != nil; t = t.Elem {
		if !t.NonNull {
			return true
		}
	}
	return false
}

func fieldNames(def *ast.Definition) []string {
	var names []string
	for _, f := range def.Fields {
		if !strings.HasPrefix(f.Name, "__") {
			names = append(names, f.Name)
		}
	}
	return names
}

func kindName(def *ast.Definition) string {
	return strings.ToLower(strings.ReplaceAll(string(def.Kind), "_", " "))
}

func pathText(op operandDecl) string {
	root := map[operandKind]string{fromArgs: "args", fromParent: "parent", fromResult: "result"}[op.Kind]
	return joinPath(root, op.Path)
}

func joinPath(root string, path []string) string {
	text := strings.Join(path, ".")
	if root == "" || text == "" {
		return root + text
	}
	return root + "." + text
}
