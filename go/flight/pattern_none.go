// SPDX-License-Identifier: Apache-2.0

//go:build !go1.23

package flight

import "net/http"

// Requests tell their pattern from Go 1.23 on.
func pattern(*http.Request) string { return "" }

func routed(_, _ *http.Request) {}
