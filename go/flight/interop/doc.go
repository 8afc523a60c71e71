// SPDX-License-Identifier: Apache-2.0

// Package interop holds what package flight serves against what others serve. It
// is a module of its own so that flight has no dependencies, and has only tests.
package interop
