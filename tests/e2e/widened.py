# SPDX-License-Identifier: Apache-2.0
"""Traces whose first generation has far more strings than what wrote it needs."""

HEADER = 16
EVENT_BATCH, STRINGS, STRING, END_OF_GENERATION = 1, 4, 5, 52
BATCH_MAX = 64 << 10
FIRST_ID = 1 << 20  # of those that are added; the trace's own are fewer


def number(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def numbers(data, at, n):
    """n numbers from there on, and what follows them."""
    values = []
    for _ in range(n):
        value = shift = 0
        while data[at] & 0x80:
            value |= (data[at] & 0x7F) << shift
            shift += 7
            at += 1
        values.append(value | data[at] << shift)
        at += 1
    return values, at


def string_batches(generation, time, count, length):
    """Batches of so many strings, each another, of at least so many bytes."""
    head = bytes([EVENT_BATCH]) + number(generation) + number(2**64 - 1) + number(time)
    out, batch = [], bytearray([STRINGS])
    for i in range(count):
        text = b"%08x" % i
        text += bytes(max(0, length - len(text)))
        entry = bytes([STRING]) + number(FIRST_ID + i) + number(len(text)) + text
        if len(batch) + len(entry) > BATCH_MAX:
            out.append(head + number(len(batch)) + bytes(batch))
            batch = bytearray([STRINGS])
        batch += entry
    out.append(head + number(len(batch)) + bytes(batch))
    return b"".join(out)


def widened(trace, count, length=8):
    """The trace, of Go 1.26, with these strings in front of its own."""
    (generation, _, time), _ = numbers(trace, HEADER + 1, 3)
    return trace[:HEADER] + string_batches(generation, time, count, length) + trace[HEADER:]
