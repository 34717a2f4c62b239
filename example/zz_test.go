package main

import (
	"fmt"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache/footprint"
)

var zz *footprint.Observer

func TestZZ(t *testing.T) {
	o := newOracle(t, newWorkload(1, oracleSmall, 200), oracleLevel{name: "x", watched: &footprint.Options{Dialect: footprint.SQLite, SemiJoins: true}})
	o.replay(300)
	for _, a := range zz.Dump() {
		fmt.Println(a)
	}
}
