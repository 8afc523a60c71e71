// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"crypto/subtle"
	"net/http"
	"net/http/pprof"
	"os"
	"strconv"
	"strings"
	"time"
)

// newMux serves net/http/pprof on a mux of its own: importing that package adds
// its handlers to http.DefaultServeMux, which a real service should not expose.
func newMux(writeTimeout time.Duration) *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", limitSeconds(writeTimeout, pprof.Trace))
	return mux
}

// limitSeconds answers as net/http/pprof did before Go 1.23: a trace that lasts
// as long as the server's WriteTimeout, or longer, is refused. Newer versions move
// the deadline instead; services built with older ones are still about.
func limitSeconds(writeTimeout time.Duration, next http.HandlerFunc) http.HandlerFunc {
	if writeTimeout == 0 {
		return next
	}
	return func(w http.ResponseWriter, r *http.Request) {
		seconds, err := strconv.ParseFloat(r.FormValue("seconds"), 64)
		if err != nil || seconds <= 0 {
			seconds = 1 // pprof's default
		}
		if seconds >= writeTimeout.Seconds() {
			w.Header().Set("X-Go-Pprof", "1")
			http.Error(w, "profile duration exceeds server's WriteTimeout", http.StatusBadRequest)
			return
		}
		next(w, r)
	}
}

// credentials says who may ask. With both kinds set either one is enough.
// The files are read at each request, so that a secret may be changed under way.
type credentials struct {
	user         string
	passwordFile string
	bearerFile   string
}

// require wraps next; without any credentials it returns next itself.
func (c *credentials) require(next http.Handler) http.Handler {
	if c.passwordFile == "" && c.bearerFile == "" {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c.basicOK(r) || c.bearerOK(r) {
			next.ServeHTTP(w, r)
			return
		}
		if c.passwordFile != "" {
			w.Header().Add("WWW-Authenticate", `Basic realm="goservice"`)
		}
		if c.bearerFile != "" {
			w.Header().Add("WWW-Authenticate", `Bearer realm="goservice"`)
		}
		http.Error(w, "not authorized", http.StatusUnauthorized)
	})
}

func (c *credentials) basicOK(r *http.Request) bool {
	user, password, ok := r.BasicAuth()
	return ok && c.passwordFile != "" && user == c.user && matchesFile(password, c.passwordFile)
}

func (c *credentials) bearerOK(r *http.Request) bool {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return ok && c.bearerFile != "" && matchesFile(token, c.bearerFile)
}

// matchesFile compares given with the secret in a file, less the line's end.
// A file that is missing or empty lets nobody in.
func matchesFile(given, file string) bool {
	secret, err := os.ReadFile(file)
	if err != nil {
		return false
	}
	secret = bytes.TrimRight(secret, "\r\n")
	return len(secret) > 0 && subtle.ConstantTimeCompare([]byte(given), secret) == 1
}
