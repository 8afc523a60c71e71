// SPDX-License-Identifier: Apache-2.0

package flight

import (
	"runtime/metrics"
	"strings"
)

// What runtime.MemStats has, made of the runtime's metrics: each is a sum of some.
const (
	objects  = "/memory/classes/heap/objects:bytes"
	unusedB  = "/memory/classes/heap/unused:bytes"
	released = "/memory/classes/heap/released:bytes"
	freeB    = "/memory/classes/heap/free:bytes"
	stacks   = "/memory/classes/heap/stacks:bytes"
	span     = "/memory/classes/metadata/mspan/inuse:bytes"
	cache    = "/memory/classes/metadata/mcache/inuse:bytes"
	tiny     = "/gc/heap/tiny/allocs:objects"
)

var memStats = []struct {
	name string
	of   []string
	help string
}{
	{"alloc_bytes", []string{objects},
		"Number of bytes allocated in heap and currently in use. Equals to /memory/classes/heap/objects:bytes."},
	{"alloc_bytes_total", []string{"/gc/heap/allocs:bytes"},
		"Total number of bytes allocated in heap until now, even if released already. Equals to /gc/heap/allocs:bytes."},
	{"sys_bytes", []string{"/memory/classes/total:bytes"},
		"Number of bytes obtained from system. Equals to /memory/classes/total:byte."},
	{"mallocs_total", []string{"/gc/heap/allocs:objects", tiny},
		"Total number of heap objects allocated, both live and gc-ed. Semantically a counter version for go_memstats_heap_objects gauge. Equals to /gc/heap/allocs:objects + /gc/heap/tiny/allocs:objects."},
	{"frees_total", []string{"/gc/heap/frees:objects", tiny},
		"Total number of heap objects frees. Equals to /gc/heap/frees:objects + /gc/heap/tiny/allocs:objects."},
	{"heap_alloc_bytes", []string{objects},
		"Number of heap bytes allocated and currently in use, same as go_memstats_alloc_bytes. Equals to /memory/classes/heap/objects:bytes."},
	{"heap_sys_bytes", []string{objects, unusedB, released, freeB},
		"Number of heap bytes obtained from system. Equals to /memory/classes/heap/objects:bytes + /memory/classes/heap/unused:bytes + /memory/classes/heap/released:bytes + /memory/classes/heap/free:bytes."},
	{"heap_idle_bytes", []string{released, freeB},
		"Number of heap bytes waiting to be used. Equals to /memory/classes/heap/released:bytes + /memory/classes/heap/free:bytes."},
	{"heap_inuse_bytes", []string{objects, unusedB},
		"Number of heap bytes that are in use. Equals to /memory/classes/heap/objects:bytes + /memory/classes/heap/unused:bytes"},
	{"heap_released_bytes", []string{released},
		"Number of heap bytes released to OS. Equals to /memory/classes/heap/released:bytes."},
	{"heap_objects", []string{"/gc/heap/objects:objects"},
		"Number of currently allocated objects. Equals to /gc/heap/objects:objects."},
	{"stack_inuse_bytes", []string{stacks},
		"Number of bytes obtained from system for stack allocator in non-CGO environments. Equals to /memory/classes/heap/stacks:bytes."},
	{"stack_sys_bytes", []string{stacks, "/memory/classes/os-stacks:bytes"},
		"Number of bytes obtained from system for stack allocator. Equals to /memory/classes/heap/stacks:bytes + /memory/classes/os-stacks:bytes."},
	{"mspan_inuse_bytes", []string{span},
		"Number of bytes in use by mspan structures. Equals to /memory/classes/metadata/mspan/inuse:bytes."},
	{"mspan_sys_bytes", []string{span, "/memory/classes/metadata/mspan/free:bytes"},
		"Number of bytes used for mspan structures obtained from system. Equals to /memory/classes/metadata/mspan/inuse:bytes + /memory/classes/metadata/mspan/free:bytes."},
	{"mcache_inuse_bytes", []string{cache},
		"Number of bytes in use by mcache structures. Equals to /memory/classes/metadata/mcache/inuse:bytes."},
	{"mcache_sys_bytes", []string{cache, "/memory/classes/metadata/mcache/free:bytes"},
		"Number of bytes used for mcache structures obtained from system. Equals to /memory/classes/metadata/mcache/inuse:bytes + /memory/classes/metadata/mcache/free:bytes."},
	{"buck_hash_sys_bytes", []string{"/memory/classes/profiling/buckets:bytes"},
		"Number of bytes used by the profiling bucket hash table. Equals to /memory/classes/profiling/buckets:bytes."},
	{"gc_sys_bytes", []string{"/memory/classes/metadata/other:bytes"},
		"Number of bytes used for garbage collection system metadata. Equals to /memory/classes/metadata/other:bytes."},
	{"other_sys_bytes", []string{"/memory/classes/other:bytes"},
		"Number of bytes used for other system allocations. Equals to /memory/classes/other:bytes."},
	{"next_gc_bytes", []string{"/gc/heap/goal:bytes"},
		"Number of heap bytes when next garbage collection will take place. Equals to /gc/heap/goal:bytes."},
}

func (t *text) memory(values map[string]metrics.Value) {
	for _, m := range memStats {
		var sum float64
		for _, part := range m.of {
			sum += scalar(values[part])
		}
		kind := "gauge"
		if strings.HasSuffix(m.name, "_total") {
			kind = "counter"
		}
		t.value("go_memstats_"+m.name, kind, m.help, sum)
	}
}
