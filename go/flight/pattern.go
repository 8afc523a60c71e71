// SPDX-License-Identifier: Apache-2.0

//go:build go1.23

package flight

import "net/http"

// pattern is the pattern of the mux by which a request was routed, if it was.
func pattern(r *http.Request) string { return r.Pattern }

// routed tells whoever has the request that this one is a copy of how it was routed.
func routed(r, copied *http.Request) { r.Pattern = copied.Pattern }
