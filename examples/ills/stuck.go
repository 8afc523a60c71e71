// SPDX-License-Identifier: Apache-2.0

package main

import "time"

// stuck waits for a file's lock that somebody else keeps for 800 ms at a time. The P that the
// goroutine had is taken from it after 10 ms or so; the goroutine and its thread are gone until the
// kernel lets go of them. Some computation goes on beside it.
func stuck() error {
	files, err := unlinkedFiles(2)
	if err != nil {
		return err
	}
	held := make(chan bool)
	go func() {
		for {
			if lockFile(files[0]) != nil {
				return
			}
			held <- true
			time.Sleep(800 * time.Millisecond)
			unlockFile(files[0])
			<-held
		}
	}()
	go func() {
		for {
			<-held
			if lockFile(files[1]) != nil {
				return
			}
			unlockFile(files[1])
			held <- true
		}
	}()
	go some()
	return nil
}

// some is a bit of work: 2 ms in every 10.
func some() {
	for range time.Tick(10 * time.Millisecond) {
		spin(2 * time.Millisecond)
	}
}
