# SPDX-License-Identifier: Apache-2.0
"""Reads files in Perfetto's format by Perfetto's own proto files, as its trace processor does, as far as
`contrace timeline` writes them."""

import collections
import dataclasses
import zlib

from perfetto.protos.perfetto.trace.perfetto_trace_pb2 import (
    BuiltinClock,
    ClockSnapshot,
    Trace,
    TracePacket,
    TrackDescriptor,
    TrackEvent,
)

SEQUENCE_CLOCK = 64


@dataclasses.dataclass
class Slice:
    track: str
    group: str
    name: str
    begin: int
    values: dict
    depth: int
    end: int | None = None

    @property
    def ns(self):
        return self.end - self.begin


@dataclasses.dataclass
class File:
    slices: list = dataclasses.field(default_factory=list)
    counters: dict = dataclasses.field(default_factory=dict)  # name: [(time, value)]
    samples: list = dataclasses.field(default_factory=list)  # (time, StackSample)
    goroutines: dict = dataclasses.field(default_factory=dict)  # names of those with samples
    start: int = 0  # CLOCK_MONOTONIC of the trace's begin
    wall: int | None = None
    raw: int = 0  # bytes before compression

    def of(self, group, depth=None):
        return [s for s in self.slices if s.group == group and depth in (None, s.depth)]


def packets(data):
    """All packets; each of the file's is a compressed block of them."""
    outer = Trace()
    outer.ParseFromString(data)
    raw = 0
    found = []
    for packet in outer.packet:
        assert packet.WhichOneof("data") == "compressed_packets"
        block = zlib.decompress(packet.compressed_packets)
        raw += len(block)
        inner = Trace()
        inner.ParseFromString(block)
        found += inner.packet
    return found, raw


class Reader:
    def __init__(self):
        self.file = File()
        self.tracks, self.names, self.keys = {}, {}, {}
        self.open = collections.defaultdict(list)
        self.events = []
        self.now = None

    def time(self, packet):
        if packet.timestamp_clock_id == ClockSnapshot.Clock.MONOTONIC:
            return packet.timestamp
        assert packet.timestamp_clock_id == 0
        self.now += packet.timestamp
        return self.now

    def begin(self, packet):
        """The first packet of the sequence tells what all others rest on."""
        assert packet.first_packet_on_sequence
        assert packet.sequence_flags == 3
        assert packet.trace_packet_defaults.timestamp_clock_id == SEQUENCE_CLOCK
        snapshot = packet.clock_snapshot
        assert snapshot.primary_trace_clock == BuiltinClock.BUILTIN_CLOCK_MONOTONIC
        clocks = {clock.clock_id: clock for clock in snapshot.clocks}
        assert clocks[SEQUENCE_CLOCK].is_incremental and clocks[SEQUENCE_CLOCK].timestamp == 0
        self.now = self.file.start = clocks[ClockSnapshot.Clock.MONOTONIC].timestamp
        if ClockSnapshot.Clock.REALTIME in clocks:
            self.file.wall = clocks[ClockSnapshot.Clock.REALTIME].timestamp
        self.keys = {key.iid: key.name for key in packet.interned_data.debug_annotation_names}

    def packet(self, packet):
        assert packet.trusted_packet_sequence_id == 1
        for name in packet.interned_data.event_names:
            assert name.iid not in self.names
            self.names[name.iid] = name.name
        for g in packet.interned_data.stack_sample_async_context_descriptors:
            assert g.kind == "goroutine"
            self.file.goroutines[g.iid] = g.name
        if packet.HasField("track_descriptor"):
            self.descriptor(packet.track_descriptor)
            return
        assert packet.sequence_flags == TracePacket.SEQ_NEEDS_INCREMENTAL_STATE
        time = self.time(packet)
        if packet.HasField("stack_sample"):
            self.file.samples.append((time, packet.stack_sample))
        else:
            assert packet.HasField("track_event")
            self.events.append((time, len(self.events), packet.track_event))

    def descriptor(self, track):
        """The first name counts; a track's parent is told before it."""
        assert track.parent_uuid == 0 or track.parent_uuid in self.tracks
        known = self.tracks.setdefault(track.uuid, TrackDescriptor())
        assert known.uuid == 0 or known.parent_uuid == track.parent_uuid
        name = known.name or track.name
        known.CopyFrom(track)
        known.name = name

    def event(self, time, event):
        track = self.tracks[event.track_uuid]
        group = self.tracks[track.parent_uuid].name
        stack = self.open[event.track_uuid]
        if event.type == TrackEvent.TYPE_COUNTER:
            assert track.HasField("counter")
            values = self.file.counters.setdefault(track.name, [])
            assert not values or values[-1][0] <= time
            values.append((time, event.counter_value))
        elif event.type == TrackEvent.TYPE_SLICE_BEGIN:
            values = {self.keys[a.name_iid]: a.int_value for a in event.debug_annotations}
            stack.append(
                Slice(track.name, group, self.names[event.name_iid], time, values, len(stack))
            )
            self.file.slices.append(stack[-1])
        else:
            assert event.type == TrackEvent.TYPE_SLICE_END
            stack.pop().end = time

    def finish(self):
        """In the order of time; of one time as they stand in the file."""
        for time, _, event in sorted(self.events, key=lambda row: row[:2]):
            self.event(time, event)
        for uuid, stack in self.open.items():
            assert stack == [], self.tracks[uuid].name
        for s in self.file.slices:
            assert s.begin <= s.end and s.name and s.track, s
        return self.file


def read(path):
    reader = Reader()
    found, raw = packets(path.read_bytes())
    reader.begin(found[0])
    for packet in found[1:]:
        reader.packet(packet)
    reader.file.raw = raw
    return reader.finish()
