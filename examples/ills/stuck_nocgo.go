// SPDX-License-Identifier: Apache-2.0

//go:build !cgo

package main

import "errors"

func stuckCgo() error { return errors.New("built without cgo") }

func cgoWorkers() error { return errors.New("built without cgo") }
