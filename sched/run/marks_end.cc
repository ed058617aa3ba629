// SPDX-License-Identifier: Apache-2.0
// Linked behind the program's own objects: where they end. See program.h.
#include "sched/run/marks.h"

SCHED_RUN_MARK(".data,\"aw\",@progbits", data_end)
SCHED_RUN_MARK(".bss,\"aw\",@nobits", bss_end)
SCHED_RUN_MARK(".text,\"ax\",@progbits", text_end)
SCHED_RUN_MARK(".text.startup,\"ax\",@progbits", startup_end)
SCHED_RUN_MARK(".text.unlikely,\"ax\",@progbits", unlikely_end)
