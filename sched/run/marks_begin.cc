// SPDX-License-Identifier: Apache-2.0
// Linked first, in front of the program's own objects: where they begin. See program.h.
#include "sched/run/marks.h"

SCHED_RUN_MARK(".data,\"aw\",@progbits", data_begin)
SCHED_RUN_MARK(".bss,\"aw\",@nobits", bss_begin)
SCHED_RUN_MARK(".text,\"ax\",@progbits", text_begin)
SCHED_RUN_MARK(".text.startup,\"ax\",@progbits", startup_begin)
SCHED_RUN_MARK(".text.unlikely,\"ax\",@progbits", unlikely_begin)
