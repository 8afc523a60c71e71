# SPDX-License-Identifier: Apache-2.0
"""Profiles of pprof as Python values: enough of protocol buffers to read any of them."""

import collections
import gzip


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def fields(data):
    """The (number, value) pairs of a message; what has a length is bytes."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = varint(data, at)
        elif kind == 2:
            size, at = varint(data, at)
            value, at = data[at : at + size], at + size
            assert len(value) == size
        else:
            raise ValueError(f"wire type {kind}")
        yield key >> 3, value


def message(data):
    """Field numbers to lists of values."""
    found = collections.defaultdict(list)
    for number, value in fields(data):
        found[number].append(value)
    return found


def one(found, number):
    return found[number][-1] if found[number] else 0


def numbers(values):
    """A repeated number, packed or not."""
    out = []
    for value in values:
        if isinstance(value, int):
            out.append(value)
            continue
        at = 0
        while at < len(value):
            number, at = varint(value, at)
            out.append(number)
    return out


def trimmed(stack):
    """Go tells stacks from each other by their addresses: at the outer end a 0 is nothing."""
    while stack and stack[-1] == (0, "", "", 0):
        stack = stack[:-1]
    return stack


class Profile:
    """samples: stacks, as tuples of (address, function, file, line), to (count, nanoseconds);
    labelled: pairs of these and their labels to the same."""

    def __init__(self, path):
        with gzip.open(path) as f:
            top = message(f.read())
        self.strings = [s.decode() for s in top[6]]
        assert self.strings[0] == ""
        self.types = [self.type_of(t) for t in top[1]]
        self.period = (self.type_of(one(top, 11)), one(top, 12))
        self.functions = self.functions_of(top[5])
        self.locations = self.locations_of(top[4])
        self.samples = {}
        self.labelled = {}
        for data in top[2]:
            sample = message(data)
            stack = trimmed(tuple(self.locations[i] for i in numbers(sample[1])))
            values = tuple(numbers(sample[2]))
            labels = tuple(sorted(map(self.label_of, sample[3])))
            assert (stack, labels) not in self.labelled
            self.labelled[stack, labels] = values
            before = self.samples.get(stack, (0,) * len(values))
            self.samples[stack] = tuple(map(sum, zip(before, values)))

    def label_of(self, data):
        found = message(data)
        return (self.strings[one(found, 1)], self.strings[one(found, 2)])

    def labels(self, key):
        """The values of a label to the sums of their samples; None: those without it."""
        out = {}
        for (_, labels), values in self.labelled.items():
            value = dict(labels).get(key)
            before = out.get(value, (0,) * len(values))
            out[value] = tuple(map(sum, zip(before, values)))
        return out

    def type_of(self, data):
        found = message(data)
        return (self.strings[one(found, 1)], self.strings[one(found, 2)])

    def functions_of(self, messages):
        out = {}
        for found in map(message, messages):
            name, system, file = (self.strings[one(found, n)] for n in (2, 3, 4))
            assert name == system
            out[one(found, 1)] = (name, file)
        return out

    def locations_of(self, messages):
        out = {}
        for found in map(message, messages):
            (line,) = map(message, found[4])
            out[one(found, 1)] = (one(found, 3), *self.functions[one(line, 1)], one(line, 2))
        return out


def assert_equal(ours, go):
    """Sample by sample, and what says what the numbers mean."""
    assert ours.types == go.types
    assert ours.period == go.period
    for stack in ours.samples.keys() | go.samples.keys():
        us, them = ours.samples.get(stack), go.samples.get(stack)
        assert us == them, f"us {us}, Go {them}:\n" + "\n".join(map(str, stack))
