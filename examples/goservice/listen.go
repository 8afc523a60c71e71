// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
)

// tlsFiles names the PEM files of an HTTPS server; all empty is plain HTTP.
type tlsFiles struct {
	cert     string
	key      string
	clientCA string
}

func (t *tlsFiles) enabled() bool { return t.cert != "" }

func (t *tlsFiles) check() error {
	if (t.cert == "") != (t.key == "") {
		return errors.New("-tls-cert and -tls-key go together")
	}
	if t.clientCA != "" && t.cert == "" {
		return errors.New("-client-ca needs -tls-cert")
	}
	return nil
}

// config reads the files. It offers HTTP/1.1 only, as a server with a
// hand-made listener does unless it is told otherwise.
func (t *tlsFiles) config() (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(t.cert, t.key)
	if err != nil {
		return nil, err
	}
	c := &tls.Config{
		Certificates: []tls.Certificate{pair},
		MinVersion:   tls.VersionTLS12,
	}
	if t.clientCA == "" {
		return c, nil
	}
	pem, err := os.ReadFile(t.clientCA)
	if err != nil {
		return nil, err
	}
	c.ClientCAs = x509.NewCertPool()
	if !c.ClientCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s: no certificate in it", t.clientCA)
	}
	c.ClientAuth = tls.RequireAndVerifyClientCert
	return c, nil
}

// listenAll opens every address before any is served, so that a service that
// says it is ready is ready everywhere.
func listenAll(addrs []string, files *tlsFiles) ([]net.Listener, error) {
	var config *tls.Config
	if files.enabled() {
		var err error
		if config, err = files.config(); err != nil {
			return nil, err
		}
	}
	var all []net.Listener
	for _, addr := range addrs {
		l, err := listen(addr)
		if err != nil {
			for _, open := range all {
				open.Close()
			}
			return nil, err
		}
		if config != nil {
			l = tls.NewListener(l, config)
		}
		all = append(all, l)
	}
	return all, nil
}

// listen opens HOST:PORT or unix:/PATH. A socket that a killed predecessor left
// behind is removed; anything else that stands at the path is not.
func listen(addr string) (net.Listener, error) {
	path, isUnix := strings.CutPrefix(addr, "unix:")
	if !isUnix {
		return net.Listen("tcp", addr)
	}
	if info, err := os.Lstat(path); err == nil && info.Mode().Type() == os.ModeSocket {
		if err := os.Remove(path); err != nil {
			return nil, err
		}
	}
	return net.Listen("unix", path)
}

// describe writes an address as contraced's --target takes it.
func describe(a net.Addr, files *tlsFiles) string {
	switch {
	case a.Network() == "unix":
		return "unix:" + a.String()
	case files.enabled():
		return "https://" + a.String()
	default:
		return "http://" + a.String()
	}
}
