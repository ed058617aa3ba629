# SPDX-License-Identifier: Apache-2.0
"""For gdb on a replay (`./lastput replay --debug FILE`): runs it to the failure, each logical thread an OS
thread of its own, and adds

    step-point [N]   go on by N scheduling points (default 1), whoever makes them
    to-point N       go on, or start again, until scheduling point N

Threads bear the names that the report tells. What the engine offers to a debugger: sched/debugger.h.
"""
import os

import gdb

ENGINE = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
FIRST_STOP = globals().get('lastput_stop_at', 0)
REASON = globals().get('lastput_reason', '')


def is_ours(frame):
    """Whether a frame is the engine's, or the library's, and tells nothing about the code under test."""
    name = frame.name() or ''
    symtab = frame.find_sal().symtab
    if symtab is None or name.startswith(('std::', 'sched::', '__tsan_', 'lastput_')):
        return True
    path = symtab.fullname()
    return path.startswith('/usr/') or os.path.dirname(path) == ENGINE


def select_code_under_test():
    frame = gdb.newest_frame()
    while frame is not None and is_ours(frame):
        frame = frame.older()
    if frame is not None:
        frame.select()


def logical_names():
    """Names of the engine's threads, by the pthread_t that each one is."""
    names = {}
    count = int(gdb.parse_and_eval("'sched::g'.thread_count"))
    for i in range(count):
        donor = int(gdb.parse_and_eval("'sched::fibers'[%d].donor" % i))
        names[donor] = gdb.parse_and_eval("'sched::g'.threads[%d].name" % i).string()
    return names


def name_threads():
    names = logical_names()
    for thread in gdb.selected_inferior().threads():
        handle = int.from_bytes(thread.handle(), 'little')
        thread.name = names.get(handle, 'idle')


def steps():
    return int(gdb.parse_and_eval("'sched::g'.steps + ('sched::g'.interval - 'sched::g'.countdown)"))


def arrive():
    """Says where the program is, in the words of the report."""
    if gdb.selected_inferior().pid == 0:
        return
    stop = gdb.newest_frame().name() or ''
    failed = stop == 'lastput_stopped_at_failure'
    if not failed and stop != 'lastput_stopped_at_step':
        return
    try:
        name_threads()
    except (gdb.error, AttributeError) as error:  # a gdb without libthread_db
        print('threads have no names here: %s' % error)
    select_code_under_test()
    thread = gdb.parse_and_eval("'sched::g'.self.name").string()
    print('%s point %d, thread %s' % ('FAILED at' if failed else 'stopped at', steps(), thread))
    if failed:
        print(gdb.parse_and_eval("'sched::g'.failure.message._M_dataplus._M_p").string(errors='replace'))
    gdb.execute('frame')


def stop_at(point):
    gdb.execute("set var lastput_stop_at = %d" % point)


class StepPoint(gdb.Command):
    """step-point [N]: go on by N scheduling points (default 1), whoever makes them."""

    def __init__(self):
        super().__init__('step-point', gdb.COMMAND_RUNNING)

    def invoke(self, argument, from_tty):
        count = int(gdb.parse_and_eval(argument)) if argument else 1
        stop_at(steps() + max(count, 1))
        gdb.execute('continue')
        if gdb.selected_inferior().pid != 0:
            stop_at(0)


class ToPoint(gdb.Command):
    """to-point N: go on until scheduling point N; start again if that is over."""

    def __init__(self):
        super().__init__('to-point', gdb.COMMAND_RUNNING)

    def invoke(self, argument, from_tty):
        if not argument:
            raise gdb.GdbError('to-point wants a number: to-point N')
        point = int(gdb.parse_and_eval(argument))
        if gdb.selected_inferior().pid == 0 or point <= steps():
            begin(point)
        else:
            stop_at(point)
            gdb.execute('continue')


def begin(point):
    """Starts the program, up to a point; 0: up to the failure."""
    start = gdb.Breakpoint('main', internal=True, temporary=True)
    start.silent = True
    gdb.execute('run')
    stop_at(point)
    gdb.execute('continue')
    if gdb.selected_inferior().pid != 0:
        stop_at(0)


def setup():
    for words in ('pagination off', 'confirm off', 'startup-with-shell off', 'print thread-events off',
                  'print frame-arguments scalars'):
        gdb.execute('set ' + words)
    gdb.execute('handle SIGALRM nostop noprint pass', to_string=True)
    for place in ('lastput_stopped_at_failure', 'lastput_stopped_at_step'):
        gdb.Breakpoint(place, internal=True).silent = True
    gdb.events.stop.connect(lambda event: arrive())
    StepPoint()
    ToPoint()
    begin(FIRST_STOP)
    if REASON:
        print(REASON)
    print('commands: step-point [N], to-point N, and all of gdb (info threads, bt, info locals)')


setup()
