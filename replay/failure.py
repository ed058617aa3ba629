# SPDX-License-Identifier: Apache-2.0
"""For gdb on a recording of rr (./lastput replay TRACE): goes to the check that failed, and shows where every thread was. What fails
calls one of FAILING; a crash is a signal. rr has gdb read this before it connects.
"""
import gdb

FAILING = ('stress::end_with', 'stress::(anonymous namespace)::tell_plainly', 'sched::fail_execution', 'sched::fail_composed')
CRASHES = ('SIGSEGV', 'SIGBUS', 'SIGFPE', 'SIGILL', 'SIGABRT')
MOST_STOPS = 1000000

last_stop = None


def note_stop(event):
    global last_stop
    last_stop = event


def is_failure(stop):
    return isinstance(stop, gdb.BreakpointEvent) or (
        isinstance(stop, gdb.SignalEvent) and stop.stop_signal in CRASHES)


def is_end(stop):
    """rr tells the end of what it has recorded by this signal."""
    return isinstance(stop, gdb.SignalEvent) and stop.stop_signal == 'SIGKILL'


def to_failure():
    """Whether there is one, from here on. rr.soft counts by traps of its own, at which gdb stops, too."""
    for _ in range(MOST_STOPS):
        gdb.execute('continue', to_string=True)
        if is_failure(last_stop):
            return True
        if not gdb.selected_inferior().pid or is_end(last_stop):
            return False
    return False


class ToFailure(gdb.Command):
    """Goes on to the next failing check or crash."""

    def __init__(self):
        super().__init__('to-failure', gdb.COMMAND_RUNNING)

    def invoke(self, argument, from_tty):
        if not to_failure():
            print('no check fails from here on')
            return
        print('\nat the failure, in thread %d:' % gdb.selected_thread().num)
        gdb.execute('backtrace 24')
        print('\nall threads:')
        gdb.execute('thread apply all backtrace 8')


for setting in ('pagination off', 'confirm off', 'width 0', 'debuginfod enabled off', 'breakpoint pending on'):
    gdb.execute('set ' + setting)
gdb.execute('handle all nostop noprint pass', to_string=True)
for signal in CRASHES:
    gdb.execute('handle %s stop print' % signal, to_string=True)
for function in FAILING:
    gdb.execute('break ' + function, to_string=True)
gdb.events.stop.connect(note_stop)
ToFailure()
gdb.execute('''define target hookpost-extended-remote
to-failure
end''')
