// SPDX-License-Identifier: Apache-2.0
// pthread_exit: the caller's stack is unwound, so that destructors of C++ and the cleanup handlers of C
// run, and then its thread ends. As in glibc that is a forced unwind (Itanium C++ ABI, 1.6.2), which a
// catch (...) sees and must throw on; C code keeps a list of jump buffers in its frames in place of
// landing pads. Cancellation, the other way to get there, is refused.
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <unwind.h>

#include "sched/engine.h"
#include "sched/interpose.h"
#include "sched/locks.h"
#include "sched/real.h"
#include "sched/sync.h"

namespace sched {
namespace {

// What pthread_cleanup_push of C code keeps in its frame is a jump buffer, and room for us.
__pthread_unwind_buf_t*& next_of(__pthread_unwind_buf_t* buffer) {
  return reinterpret_cast<__pthread_unwind_buf_t*&>(buffer->__pad[0]);
}
__pthread_unwind_buf_t* innermost() {
  return static_cast<__pthread_unwind_buf_t*>(g.self->cleanup);
}

_Unwind_Exception unwinding[kMaxThreads];

void caught_for_good(_Unwind_Reason_Code, _Unwind_Exception*) {
  fail_execution(FailureKind::kThreadMisuse, "G9",
                 "catch (...) ends what pthread_exit() throws: it must throw it on");
}

[[noreturn]] void run_cleanup(__pthread_unwind_buf_t* buffer) {
  longjmp(reinterpret_cast<__jmp_buf_tag*>(buffer->__cancel_jmp_buf), 1);
}

// Called for each frame, before what it has to destroy. A frame of C code has nothing: its handlers run
// once its caller is reached, while it is still there.
_Unwind_Reason_Code at_frame(int, _Unwind_Action actions, _Unwind_Exception_Class,
                             _Unwind_Exception*, _Unwind_Context* context, void*) {
  const bool at_end = (actions & _UA_END_OF_STACK) != 0;
  auto* buffer = innermost();
  if (buffer != nullptr &&
      (at_end || _Unwind_GetCFA(context) > reinterpret_cast<uintptr_t>(buffer)))
    run_cleanup(buffer);
  if (at_end) end_thread(g.self->result);
  return _URC_NO_REASON;
}

[[noreturn]] void unwind() {
  _Unwind_Exception& exception = unwinding[g.current];
  exception.exception_class = 0;
  exception.exception_cleanup = caught_for_good;
  _Unwind_ForcedUnwind(&exception, at_frame, nullptr);
  // Nothing could be unwound: a frame without tables.
  end_thread(g.self->result);
}

}  // namespace

void exit_thread(void* result) {
  g.self->result = result;
  unwind();
}

}  // namespace sched

using namespace sched;

SCHED_INTERPOSERS(exit)

SCHED_EXPORT void pthread_exit(void* result) {
  if (here()) exit_thread(result);
  real().pthread_exit(result);
  __builtin_unreachable();
}

// --- Cleanup handlers of C code (its macros call these; C++ has destructors)
// --------------------------------------------------------------------------

SCHED_EXPORT void __pthread_register_cancel(__pthread_unwind_buf_t* buffer) {
  if (!here()) return real().pthread_register_cancel(buffer);
  next_of(buffer) = innermost();
  g.self->cleanup = buffer;
}

SCHED_EXPORT void __pthread_unregister_cancel(__pthread_unwind_buf_t* buffer) {
  if (!here()) return real().pthread_unregister_cancel(buffer);
  g.self->cleanup = next_of(buffer);
}

SCHED_EXPORT void __pthread_unwind_next(__pthread_unwind_buf_t* buffer) {
  if (!here()) real().pthread_unwind_next(buffer);
  g.self->cleanup = next_of(buffer);
  unwind();
}

// --- Cancellation: nobody is ever cancelled
// -----------------------------------------------------------

SCHED_EXPORT int pthread_setcancelstate(int state, int* old) {
  if (!here()) return real().pthread_setcancelstate(state, old);
  if (state != PTHREAD_CANCEL_ENABLE && state != PTHREAD_CANCEL_DISABLE) return EINVAL;
  if (old != nullptr) *old = g.self->cancel_state;
  g.self->cancel_state = state;
  return 0;
}

SCHED_EXPORT int pthread_setcanceltype(int type, int* old) {
  if (!here()) return real().pthread_setcanceltype(type, old);
  if (type != PTHREAD_CANCEL_DEFERRED && type != PTHREAD_CANCEL_ASYNCHRONOUS) return EINVAL;
  if (old != nullptr) *old = g.self->cancel_type;
  g.self->cancel_type = type;
  return 0;
}

SCHED_EXPORT void pthread_testcancel() {
  if (!here()) real().pthread_testcancel();
}
