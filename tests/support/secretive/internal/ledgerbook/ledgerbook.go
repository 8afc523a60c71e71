// SPDX-License-Identifier: Apache-2.0

// Package ledgerbook has types that are parameters of generic ones.
package ledgerbook

import (
	"slices"
	"time"
)

// Posting is what a Book has.
type Posting struct{ Amount int }

// Book waits.
type Book[T any] struct{ _ []T }

// Waiting sleeps.
func (b *Book[T]) Waiting(d time.Duration) {
	func() { time.Sleep(d) }()
}

// Shuffled sorts for some time.
func Shuffled(postings []Posting, d time.Duration) {
	for start := time.Now(); time.Since(start) < d; {
		slices.SortFunc(postings, func(a, b Posting) int { return b.Amount - a.Amount })
		slices.Reverse(postings)
	}
}
