# SPDX-License-Identifier: Apache-2.0
"""gdb prints a percpu::Ref as what it means: its mode, and the count that no single word holds.

    (gdb) source PREFIX/share/percpu/gdb/percpu.py
    (gdb) print *session
    $1 = {<percpu::linux_rseq::Ref> = live, percpu mode, count 6 = 1 shared + 5 percpu (cpu 1: 5), ...

A switch that is under way holds one of the references. The program needs debug information (-g); what
only the library knows (pending switches, release, managed) is told where the library has some, too.
`print/r` shows the members as they are.
"""
import re

import gdb
import gdb.printing

# As in ref.h and the platforms' percpu_platform.h; printer_test.sh fails when they differ.
FLAG_MASK = 7
ATOMIC, DEAD, ABSENT = 1, 2, 4
BIAS = 1 << 63
LEAKED = 1 << 62
STRIDE = {'linux_rseq': 1 << 15, 'portable': 1024}

# Numbers of references that a program really has are smaller.
PLAUSIBLE = 1 << 61


def near(value, base):
    return abs(value - base) < PLAUSIBLE


def signed(value):
    return (value + BIAS) % (1 << 64) - BIAS


def load(value):
    """The 8 bytes of a std::atomic, whatever the C++ library calls what is inside."""
    word = gdb.lookup_type('unsigned long')
    return int(value.address.cast(word.pointer()).dereference())


class RefPrinter:
    def __init__(self, value):
        self.value = value
        self.platform = re.match(NAME, value.type.strip_typedefs().name).group(1)
        self.word = load(value['word_'])
        self.shared = load(value['count_'])
        self.absent = bool(self.word & ABSENT)
        # Under ATOMIC the bias stays until the switch has summed the percpu counters.
        self.biased = not self.absent and (not self.word & ATOMIC or near(self.shared, BIAS))

    def to_string(self):
        parts = [self.life()]
        if not self.absent:
            parts += [self.mode(), self.count()] + self.details()
        return ', '.join(parts)

    def life(self):
        dead = bool(self.word & DEAD)
        if self.absent:
            return 'not initialised, was dead' if dead else 'not initialised'
        if dead and self.flag('killing'):
            return 'dead (kill pending)'
        return 'dead' if dead else 'live'

    def mode(self):
        if not self.word & ATOMIC:
            return 'percpu mode'
        if self.biased:
            return 'switching to atomic mode'
        return 'atomic mode' + (' (in its callback)' if self.data('pending') else '')

    def count(self):
        if not self.biased:
            return 'leaks' if near(self.shared, LEAKED) else 'count %d' % self.shared
        shared = signed(self.shared - BIAS)
        try:
            counters = self.counters()
        except gdb.error:  # clang describes some types in the library only
            return '%d shared, and percpu counts that only a library with debug information tells' % shared
        percpu = signed(sum(counters))
        used = ', '.join('cpu %d: %d' % (cpu, signed(n)) for cpu, n in enumerate(counters) if n)
        return 'count %d = %d shared + %d percpu%s' % (
            shared + percpu, shared, percpu, ' (%s)' % used if used else '')

    def counters(self):
        sections = self.value['sections_'].dereference()
        cpus = int(sections['cpus_'] if self.platform == 'linux_rseq' else sections['readers_']['cpus_'])
        counter = gdb.lookup_type('unsigned long').pointer()
        area = self.word & ~FLAG_MASK
        return [int(gdb.Value(area + cpu * STRIDE[self.platform]).cast(counter).dereference())
                for cpu in range(cpus)]

    def details(self):
        told = [words for field, words in (('allow_reinit', 'may come back'), ('sticky', 'stays atomic'),
                                           ('managed', 'managed')) if self.flag(field)]
        release = self.data('release')
        if release is not None:
            told.append('release ' + release.format_string())
        return told

    def flag(self, field):
        """A bool of it, or an atomic one; None as below."""
        value = self.data(field)
        if value is None:
            return None
        return bool(value.address.cast(gdb.lookup_type('unsigned char').pointer()).dereference())

    def data(self, field):
        """A field of what the domain keeps for the ref; None where that, or its type, is not known."""
        try:
            return self.value['data_'].dereference()[field]
        except gdb.error:
            return None


NAME = r'^percpu::(linux_rseq|portable)::Ref$'


def register():
    printers = gdb.printing.RegexpCollectionPrettyPrinter('percpu')
    printers.add_printer('Ref', NAME, RefPrinter)
    gdb.printing.register_pretty_printer(None, printers, replace=True)


register()
