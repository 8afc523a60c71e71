// SPDX-License-Identifier: Apache-2.0

//go:build !go1.25

package flight

// There is no recorder before Go 1.25.
var newRecorder func(Config) recorder
