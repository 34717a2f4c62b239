// Package ent is generated.
package ent

//go:generate go run -mod=mod entc.go
