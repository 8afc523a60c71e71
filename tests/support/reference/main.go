// SPDX-License-Identifier: Apache-2.0

// Command reference makes tests/unit/fixtures/buckets.txt: random histograms, and what
// Prometheus's own functions say of the increase between two reads of each. A line is
//
//	bound limit n EDGE… BEFORE… NOW… edge fraction quantile
//
// with n edges, the last of which is +Inf, and cumulative counts. edge is the first at or
// above the bound, fraction is histogram_fraction of what lies above it, quantile is
// histogram_quantile at 1 - limit.
package main

import (
	"fmt"
	"math"
	"math/rand"
	"slices"
	"sort"
	"strings"

	"github.com/prometheus/prometheus/promql"
)

const cases = 400

// edges are random, ascending and positive, and +Inf follows.
func edges(r *rand.Rand) []float64 {
	n := 1 + r.Intn(14)
	found := make([]float64, n)
	for i := range found {
		found[i] = math.Round(math.Exp(r.NormFloat64()*3)*1e6) / 1e6
	}
	slices.Sort(found)
	found = slices.DeleteFunc(slices.Compact(found), func(edge float64) bool { return edge <= 0 })
	return append(found, math.Inf(1))
}

// grown adds random observations to cumulative counts; some buckets get none.
func grown(r *rand.Rand, counts []float64) []float64 {
	more, sum := make([]float64, len(counts)), 0.0
	for i := range counts {
		if r.Intn(3) > 0 {
			sum += float64(r.Intn(1000))
		}
		more[i] = counts[i] + sum
	}
	return more
}

func line(r *rand.Rand) string {
	at := edges(r)
	before := grown(r, make([]float64, len(at)))
	now := grown(r, before)
	bound, limit := math.Exp(r.NormFloat64()*3), r.Float64()
	if r.Intn(2) == 0 {
		bound = at[r.Intn(len(at)-1)]
	}
	i := sort.SearchFloat64s(at, bound)
	if i == len(at)-1 || now[len(at)-1]-before[len(at)-1] == 0 {
		return ""
	}
	var increase promql.Buckets
	for j := range at {
		increase = append(increase, promql.Bucket{UpperBound: at[j], Count: now[j] - before[j]})
	}
	fraction := promql.BucketFraction(at[i], math.Inf(1), slices.Clone(increase))
	quantile, _, _, _, _, _ := promql.BucketQuantile(1-limit, slices.Clone(increase))
	fields := []any{bound, limit, len(at)}
	for _, list := range [][]float64{at, before, now, {at[i], fraction, quantile}} {
		for _, value := range list {
			fields = append(fields, value)
		}
	}
	return strings.TrimSuffix(fmt.Sprintln(fields...), "\n")
}

func main() {
	r := rand.New(rand.NewSource(16))
	for n := 0; n < cases; {
		if text := line(r); text != "" {
			fmt.Println(text)
			n++
		}
	}
}
